"""Mails as facts: the sender is the address and must be vouched for; templates are strict; data is never markup."""

from __future__ import annotations

import datetime
import re
from decimal import Decimal
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment, meta

from interoffice.errors import BusinessError, ProjectError
from interoffice.model.table import Table
from interoffice.model.types import MONEY, TEXT
from interoffice.model.values import FileValue, Formats, Percent
from interoffice.resources.mail_reading import read_letter, why_not_trusted
from interoffice.resources.mail_sending import compose, endpoint, refuse_recipients
from interoffice.resources.mail_template import render
from interoffice.resources.mail_text import plain_text

FORMATS = Formats(date="dd.MM.yyyy", number="1.234,56", zone="Europe/Berlin")


def mail(**headers: str) -> EmailMessage:
    message = EmailMessage()
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content("Hello\n")
    return message


# reading


def test_the_sender_is_the_address_in_small_letters_and_never_the_display_name() -> None:
    letter = read_letter(mail(From='"boss@example.com" <Evil@Attacker.example>').as_bytes())
    assert letter.sender == "evil@attacker.example"


@pytest.mark.parametrize(
    "head",
    [b"", b"From: nobody\r\n", b"From: a@x.example, b@y.example\r\n", b"From: a@x.example\r\nFrom: b@y.example\r\n",
     b"From: a@x@y.example\r\n"],
)  # fmt: skip
def test_a_mail_without_exactly_one_sender_has_none(head: bytes) -> None:
    assert read_letter(head + b"Subject: x\r\n\r\nHello").sender is None


def test_a_mail_without_message_id_gets_one_of_its_content() -> None:
    one, same, other = (read_letter(mail(From="a@x.example", Subject=text).as_bytes()) for text in ("1", "1", "2"))
    assert one.message_id == same.message_id != other.message_id
    assert one.message_id.startswith("<") and one.message_id.endswith("@without-message-id>")


def test_headers_in_other_alphabets_are_decoded() -> None:
    letter = read_letter(mail(From="a@x.example", Subject="Rechnung für März €").as_bytes())
    assert letter.subject == "Rechnung für März €"
    assert read_letter(b"Subject: =?utf-9?B?xx?=\r\n\r\n").subject == "=?utf-9?B?xx?="


TRUSTED = ["mail.example.com"]


@pytest.mark.parametrize(
    "results",
    [
        "mail.example.com; dmarc=pass header.from=x.example",
        "mail.example.com 1; dmarc=pass (p=reject) header.from=x.example",
        "MAIL.example.com; spf=pass smtp.mailfrom=bounce@x.example; dkim=none",
        "mail.example.com; dkim=pass header.d=x.example",
        "mail.example.com;\r\n auth=pass smtp.auth=a@x.example;\r\n dmarc=pass header.from=x.example",
    ],
)
def test_a_sender_that_a_trusted_server_vouches_for_is_believed(results: str) -> None:
    raw = f"Authentication-Results: {results}\r\nFrom: a@x.example\r\n\r\nHello".encode()
    assert why_not_trusted(read_letter(raw), TRUSTED, ()) is None


def test_a_domain_below_the_one_that_was_proved_is_aligned() -> None:
    raw = b"Authentication-Results: mail.example.com; dkim=pass header.d=x.example\r\nFrom: a@eu.x.example\r\n\r\n"
    assert why_not_trusted(read_letter(raw), TRUSTED, ()) is None


@pytest.mark.parametrize(
    ("results", "why"),
    [
        ((), "no Authentication-Results"),
        (("other.example; dmarc=pass header.from=x.example",), "no Authentication-Results"),
        (("mail.example.com; dmarc=fail header.from=x.example",), "does not vouch for x.example"),
        (("mail.example.com; dmarc=pass header.from=attacker.example",), "does not vouch"),
        (("mail.example.com; dkim=pass header.d=attacker.example",), "does not vouch"),
        (("mail.example.com; dkim=pass header.d=notx.example",), "does not vouch"),
        (("mail.example.com; dkim=pass header.d=example",), "does not vouch"),
        (("mail.example.com; spf=pass smtp.mailfrom=attacker.example",), "does not vouch"),
        (("mail.example.com; spf=pass",), "does not vouch"),
        (("mail.example.com; none (dmarc=pass header.from=x.example)",), "does not vouch"),
        (("mail.example.com.attacker.example; dmarc=pass header.from=x.example",), "no Authentication-Results"),
        (("mail.example.com; dmarc=fail", "mail.example.com; dmarc=pass header.from=x.example"), "does not vouch"),
    ],
)
def test_a_sender_that_nobody_vouches_for_is_not_believed(results: tuple[str, ...], why: str) -> None:
    head = "".join(f"Authentication-Results: {one}\r\n" for one in results)
    reason = why_not_trusted(read_letter(f"{head}From: a@x.example\r\n\r\nHello".encode()), TRUSTED, ())
    assert reason is not None
    assert why in reason


def test_a_list_lets_senders_in_without_results() -> None:
    raw = b"From: Partner@Known.example\r\n\r\n"
    assert why_not_trusted(read_letter(raw), (), ["*@known.example"]) is None
    assert why_not_trusted(read_letter(raw), (), ["*@other.example"]) is not None


def _with_files() -> EmailMessage:
    message = mail(From="a@x.example")
    message.add_attachment(b"%PDF-1", maintype="application", subtype="pdf", filename="in/voice.PDF")
    message.add_attachment(b"%PDF-2", maintype="application", subtype="pdf")
    message.add_attachment(b"%PDF-3", maintype="application", subtype="octet-stream", filename="photo.bin")
    message.add_attachment("a;b\n", subtype="csv", filename="t.csv")
    return message


def test_attachments_are_found_by_name_declared_type_or_content() -> None:
    letter = read_letter(_with_files().as_bytes())
    assert [one.name for one in letter.attachments(["pdf"])] == ["in/voice.PDF", "unnamed-3.pdf", "photo.bin"]
    assert [one.name for one in letter.attachments(["csv"])] == ["t.csv"]
    assert len(letter.attachments()) == 4
    assert letter.text().strip() == "Hello"


def test_a_forwarded_mail_is_looked_into_once() -> None:
    outer = mail(From="b@x.example")
    outer.add_attachment(_with_files())
    found = read_letter(outer.as_bytes()).attachments(["pdf"])
    assert [one.content for one in found] == [b"%PDF-1", b"%PDF-2", b"%PDF-3"]


def test_the_text_of_a_mail_in_html_alone_is_its_words() -> None:
    message = EmailMessage()
    message.set_content("<p>Two &amp; <b>three</b></p><script>alert(1)</script>", subtype="html")
    assert read_letter(message.as_bytes()).text() == "Two & three"


BROKEN = [
    b"", b"\xff\xfe\x00", b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nfoo",
    b"Content-Type: text/plain; charset=klingon\r\n\r\n\xfcber", b"Subject: \xfcber \x00 x\r\n\r\n\x00\xff",
    b"Message-ID: <a\xffb@x>\r\nFrom: \xff@x.example\r\n\r\nx", b"Subject: =?utf-8?b?7aCA?=\r\n\r\n",
    b"Content-Type: text/plain; charset=utf-16\r\n\r\n\x00\xd8",
    b"Content-Type: text/plain; charset=utf-7\r\n\r\n+2AA-",
    b"Content-Disposition: attachment; filename*=idna''%ff%fe.pdf\r\n\r\nx",
    b'Content-Type: application/pdf; name="\xff.pdf"\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!',
    b"Content-Type: text/plain; charset=idna\r\n\r\nxn--a\xff", b"From: =?utf-8?q?=00?= <a@x.example>\r\n\r\n",
]  # fmt: skip


@pytest.mark.parametrize("raw", BROKEN)
def test_a_broken_mail_is_still_a_mail_that_a_table_can_hold(raw: bytes) -> None:
    letter = read_letter(raw)
    names = [attachment.name for attachment in letter.attachments()]
    cells = [letter.subject, letter.sender, letter.message_id, letter.text(), *names]
    table = Table.from_rows({"a": TEXT}, [{"a": cell} for cell in cells])
    assert len(table.digest) == 64


@given(st.binary(max_size=300), st.sampled_from([b"", b"Subject: ", b"From: ", b"Content-Type: ", b"Message-ID: "]))
def test_any_bytes_are_a_mail(noise: bytes, head: bytes) -> None:
    letter = read_letter(head + noise)
    letter.text()
    letter.attachments(["pdf"])
    why_not_trusted(letter, TRUSTED, ())
    letter.subject.encode()


def test_answers_are_known_by_their_references_and_automatic_ones_are_told_apart() -> None:
    reply = mail(From="a@x.example", References="<one@x> <two@x>", In_Reply_To="<two@x>")
    letter = read_letter(reply.as_bytes())
    assert letter.answers("<one@x>") and letter.answers("<two@x>")
    assert not letter.answers("<wo@x>")
    assert not letter.is_automatic
    away = mail(From="a@x.example", In_Reply_To="<two@x>", Auto_Submitted="auto-replied")
    assert read_letter(away.as_bytes()).is_automatic


# templates


def filled(template: str, /, **values: Any) -> str:
    return render(template, "emails/x.html", values, formats=FORMATS, most_rows=3)


def test_values_are_written_as_the_project_writes_them() -> None:
    values = {"n": Decimal("1234.50"), "d": datetime.date(2026, 11, 20), "p": Percent("0.15"), "m": None, "y": True}
    html = filled("{{ v.n }} {{ v.d }} {{ v.p }} [{{ v.m }}] {{ v.y }}", v=values)
    assert html == "1.234,5 20.11.2026 15 % [] yes"


@pytest.mark.parametrize("attack", ["<script>x</script>", "{{ 7*7 }}", "${{ inputs.x }}", "' onload='x", "&lt;"])
def test_data_is_never_markup_and_never_a_template(attack: str) -> None:
    html = filled("<p>{{ text }}</p>", text=attack)
    assert plain_text(html) == attack
    assert "<script>" not in html
    assert "49" not in html


def test_rows_are_seen_by_their_columns_and_a_long_table_is_cut_and_says_so() -> None:
    columns = {"items": TEXT, "amount": MONEY}
    rows = Table.from_rows(columns, [{"items": f"<{n}>", "amount": Decimal(n)} for n in range(5)])
    html = filled("{% for row in rows %}{{ row.items }}={{ row.amount }};{% endfor %}{{ rows | length }}", rows=rows)
    assert html.startswith("&lt;0&gt;=0;&lt;1&gt;=1;&lt;2&gt;=2;5")
    assert "Of the 5 rows of rows only the first 3 are shown." in html
    assert filled("{% if rows %}yes{% else %}no{% endif %}", rows=rows.select([])) == "no"


@pytest.mark.parametrize(
    "template",
    ["{{ unknown }}", "{{ row.unknown }}", "{% for x in unknown %}{% endfor %}", "{% if unknown %}{% endif %}",
     "{{ row.a.b }}", "{% for %}", "{{ text.upper() }}", "{{ text | safe }}", "{{ ''.__class__ }}",
     "{{ row.__class__ }}", "{{ row.items() }}", "{{ self.__init__ }}", "{{ cycler }}", "{{ lipsum() }}",
     "{{ row['__class__'] }}", "{{ text | attr('__class__') }}", "{% for x in range(999999999) %}{% endfor %}",
     "{% include 'settings.yaml' %}", "{% import 'os' as os %}", "{{ file.path }}"],
)  # fmt: skip
def test_a_template_that_misses_a_name_or_reaches_too_far_is_refused(template: str) -> None:
    file = FileValue(path="/secret", name="a.pdf", sha256="0", size_bytes=1)
    with pytest.raises(BusinessError, match=r"the template emails/x\.html.* can't be filled") as raised:
        filled(template, text="x", row={"a": "1"}, file=file)
    assert raised.value.code == "template"


def test_loops_and_macros_work() -> None:
    macro = "{% macro cell(x) %}<td>{{ x }}</td>{% endmacro %}"
    rows = Table.from_rows({"a": TEXT}, [{"a": "<"}, {"a": "y"}])
    html = filled(macro + "{% for r in rows %}{{ loop.index }}{{ cell(r.a) }}{% endfor %}", rows=rows)
    assert html == "1<td>&lt;</td>2<td>y</td>"


def test_html_becomes_text_with_tables_and_lists() -> None:
    table = "<table><tr><th>Deal</th><th>Amount</th></tr><tr><td>D-1</td><td>5</td></tr></table>"
    assert plain_text(f"<h3>Orders</h3>{table}<p>Bye</p>") == "Orders\n\nDeal | Amount\nD-1 | 5\n\nBye"
    assert plain_text("<ul><li>a</li><li>b</li></ul>x <b>y</b>z") == "- a\n- b\n\nx yz"


# sending


@pytest.mark.parametrize(
    "to",
    ["", "a", "a@b", "a@x.example, b@x.example", "a@x.example\nBcc: b@x.example", "A <a@x.example>",
     "a@x.example;b@x.example", "ä@x.example", "a@x.example\u200b"],
)  # fmt: skip
def test_what_is_no_mail_address_is_refused(to: str) -> None:
    with pytest.raises(BusinessError) as raised:
        refuse_recipients((to,), ())
    assert raised.value.code == "bad_recipient"


def test_only_allowed_recipients_get_mail() -> None:
    only = ("*@example.com",)
    wanted = refuse_recipients(("a@example.com", "a@example.com", "B@EXAMPLE.com"), only)
    assert wanted == ("a@example.com", "B@EXAMPLE.com")
    for outside in ("a@example.com.evil.example", "a@evil.example", "a@sub.example.com"):
        with pytest.raises(BusinessError, match="may not get mail from this environment"):
            refuse_recipients(("a@example.com", outside), only)


@pytest.mark.parametrize("subject", ["a\r\nBcc: x@example.com", "a\nb", "a\x00b", "", "  ", "a\u2028b"])
def test_a_subject_that_would_be_a_header_is_refused(subject: str) -> None:
    with pytest.raises(BusinessError) as raised:
        _composed(subject=subject)
    assert raised.value.code == "bad_header"


def _composed(**changed: Any) -> EmailMessage:
    made = {
        "sender": "office@example.com", "to": ["a@example.com"], "subject": "Grüße", "html": "<p>Hällo &lt;b&gt;</p>",
        "attach": [], "written_at": datetime.datetime(2026, 11, 20, tzinfo=datetime.UTC),
    }  # fmt: skip
    return compose(**{**made, **changed})


def test_a_mail_has_a_text_and_an_html_part_and_says_that_it_is_automatic() -> None:
    message = _composed()
    assert [part.get_content_type() for part in message.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    plain = message.get_body(("plain",))
    assert plain is not None
    assert plain.get_content().strip() == "Hällo <b>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"] is None


@pytest.mark.parametrize("address", ["http://mail.example.com", "imap.example.com", "imaps://", "imaps:///x"])
def test_an_address_that_is_no_mail_server_is_refused(address: str) -> None:
    with pytest.raises(ProjectError, match="is no address of a mail server"):
        endpoint(address, secure="imaps", plain="imap", ports=(993, 143))


def test_ports_come_from_the_kind_of_address() -> None:
    assert str(endpoint("imaps://m.example", secure="imaps", plain="imap", ports=(993, 143))) == "m.example:993"
    assert str(endpoint("smtp://m.example:2525", secure="smtps", plain="smtp", ports=(465, 587))) == "m.example:2525"
    assert not endpoint("smtp://m.example", secure="smtps", plain="smtp", ports=(465, 587)).is_tls


EMAILS = sorted((Path(__file__).resolve().parents[3] / "workflows" / "emails").glob("*.html"))


@pytest.mark.parametrize("file", EMAILS, ids=lambda file: file.stem)
def test_every_template_of_the_project_can_be_filled(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    names = meta.find_undeclared_variables(Environment(autoescape=True).parse(text))
    rows = Table.from_rows(dict.fromkeys(sorted(set(re.findall(r"\brow\.(\w+)", text))), TEXT), [{}])
    looped = set(re.findall(r"\bin (\w+)", text))
    values = {name: rows if name in looped else "x" for name in names}
    values["run"] = {"id": "r-1", "date": "2026-11-20", "failed_step": "order", "error": "x", "report": "y"}
    values["workflow"] = {"name": "Won deals", "owner": "a@example.com"}
    assert plain_text(filled(text, **values))
