"""The practice users and their passwords, by the credential names that the workflows use.

They are no secrets: the practice office answers on loopback only and holds invented data. All differ, and none is a
word of a language, so that a test can look for each of them in logs, pictures and databases.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

MAIL_DOMAIN = "example.com"
ANY_MAILBOX_PASSWORD = "Brief-Kasten-5527"
"""Opens the mailbox of every practice address that has no account of its own, for clicking around."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """One practice user of one system; `may_post` names the kinds of ERP documents that it may enter."""

    system: str
    user: str
    password: str
    may_post: frozenset[str] = frozenset()
    totp: str = ""

    def parts(self) -> dict[str, str]:
        """The parts of the credential, as `credentials set` would take them."""
        parts = {"user": self.user, "password": self.password}
        return parts | {"totp": self.totp} if self.totp else parts


def _erp(user: str, password: str, *may_post: str, totp: str = "") -> Account:
    return Account(system="erp", user=user, password=password, may_post=frozenset(may_post), totp=totp)


def _crm(user: str, password: str) -> Account:
    return Account(system="crm", user=user, password=password)


def _mail(user: str, password: str) -> Account:
    return Account(system="mail", user=user, password=password)


ACCOUNTS: Mapping[str, Account] = {
    "crm_reader": _crm("crm.reader@example.com", "Ufer-Lampe-3391"),
    "crm_writer": _crm("crm.writer@example.com", "Ufer-Segel-8812"),
    "erp_clerk": _erp("erp.clerk", "Kontor-Ahorn-4471", "sales_order"),
    "erp_reader": _erp("erp.reader", "Kontor-Birke-9025"),
    "erp_ap_poster": _erp("erp.ap.poster", "Kontor-Eiche-1743", "supplier_invoice"),
    "erp_purchaser": _erp("erp.purchaser", "Kontor-Linde-6608", "purchase_order"),
    "erp_gl_poster": _erp("erp.gl.poster", "Kontor-Tanne-2287", "journal"),
    "erp_master_data": _erp("erp.master.data", "Kontor-Weide-5519", "customer"),
    "erp_two_factor": _erp("erp.two.factor", "Kontor-Zeder-7130", "sales_order", totp="JBSWY3DPEHPK3PXPKRSXG5A"),
    "office_mailbox": _mail("interoffice@example.com", "Post-Amsel-1180"),
    "ap_mailbox": _mail("invoices@example.com", "Post-Drossel-2291"),
    "service_mailbox": _mail("feedback@example.com", "Post-Elster-3302"),
    "purchasing_mailbox": _mail("purchasing@example.com", "Post-Fink-4413"),
    "payroll_mailbox": _mail("timesheets@example.com", "Post-Gimpel-5524"),
    "risk_service": Account(system="risk", user="interoffice", password="risk-4f1d8a7763b2c95e"),
}


def users_of(system: str) -> dict[str, Account]:
    """The accounts of one system by user name, as it is typed when signing in."""
    return {account.user: account for account in ACCOUNTS.values() if account.system == system}
