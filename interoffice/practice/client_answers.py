"""What the practice ERP answers to its desktop client: the pages of the web client as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flask import Response, g

from interoffice.practice.web import PageFaults


def client_answer(template: str, faults: PageFaults, values: Mapping[str, Any]) -> Response:
    """`page`, `user`, `problem`, `number`, `fields` of a form or `rows`, `found`, `last` of a list, and its faults."""
    page = template.removeprefix("erp/").removesuffix(".html")
    said: dict[str, Any] = {
        "page": page, "user": g.session.user if g.session else "", "problem": values.get("problem", ""),
        "faults": json.loads(faults.script()),
    }  # fmt: skip
    if page == "sign_in":
        said["ask_code"] = bool(values.get("ask_code"))
    elif page == "document":
        posting = values["posting"]
        said["number"] = posting.number if posting is not None else ""
        said["fields"] = [{"name": f.field.name, "caption": f.caption, "shows": f.shows} for f in values["fields"]]
    elif page == "list":
        said |= {name: values[name] for name in ("rows", "found", "number", "last")}
    return Response(json.dumps(said), mimetype="application/json")
