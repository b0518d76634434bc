"""The practice risk service: GET /customers/<no> tells credit limit, open balance and screening result as JSON."""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass

from flask import Flask, Response, request

from interoffice.practice.accounts import ACCOUNTS
from interoffice.practice.faults import Asked, Faults
from interoffice.practice.web import control, cut, is_aside


@dataclass(frozen=True, kw_only=True, slots=True)
class Risk:
    """What the service works with; amounts are texts such as "50000.00"."""

    credit: Mapping[str, Mapping[str, str]]
    faults: Faults
    token: str
    stopping: threading.Event


def risk_app(risk: Risk) -> Flask:
    """The service. It wants `Authorization: Bearer` with the password of the account risk_service."""
    app = Flask("interoffice.practice")
    app.register_blueprint(control(risk.faults, risk.token))

    @app.before_request
    def misbehave() -> Response | None:
        return None if is_aside() else _fault(risk)

    @app.before_request
    def only_with_bearer() -> Response | None:
        given = request.headers.get("Authorization", "").encode()
        wanted = f"Bearer {ACCOUNTS['risk_service'].password}".encode()
        if is_aside() or secrets.compare_digest(given, wanted):
            return None
        return _json({"error": "a bearer token is needed"}, 401)

    @app.get("/customers/<customer_no>")
    def customer(customer_no: str) -> Response:
        found = risk.credit.get(customer_no)
        if found is None:
            return _json({"error": f"customer {customer_no} is unknown"}, 404)
        return _json(dict(found))

    return app


def _fault(risk: Risk) -> Response | None:
    values = frozenset(str(value) for value in (request.view_args or {}).values())
    asked = Asked(application="risk", path=request.path, method=request.method, screen="customer", values=values)
    if (slow := risk.faults.take("slow", asked)) is not None:
        risk.stopping.wait(slow.seconds)
    if (silent := risk.faults.take("no_answer", asked)) is not None:
        return cut(Response(b""), silent, risk.stopping)
    if risk.faults.take("error", asked) is not None:
        return _json({"error": "internal error"}, 500)
    return None


def _json(value: object, status: int = 200) -> Response:
    return Response(json.dumps(value, ensure_ascii=False), status, mimetype="application/json")
