"""How a value is typed and read in an application: texts by its formats, exact, never rounded, never guessed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from interoffice.errors import BusinessError
from interoffice.model.formats import format_date, format_number, format_value, number_marks
from interoffice.model.reading import read_date, read_number
from interoffice.model.selectors import Column, Compare, Element, ElementType, ScreenFormats
from interoffice.model.values import FileValue, Percent, Value, is_date, number_text

_FOLDED: Final = re.compile(r"[\s\u00a0\u2007\u202f]+")
_CURRENCY: Final = re.compile(r"^(?:[A-Z]{3}|[$\u20ac\u00a3\u00a5])\s*|\s*(?:[A-Z]{3}|[$\u20ac\u00a3\u00a5])$")
_UNTYPEABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_MASK: Final[Mapping[str, str]] = {"#": "[0-9]", "@": "[A-Za-z]", "?": "[0-9A-Za-z]"}
_NATIVE_FORMATS: Final = ScreenFormats()

Reading = Mapping[str, Any]
"""What the page says that an element shows: text, texts, checked, native, blank, files."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """What an element or a column holds, and how the application writes it."""

    name: str
    type: ElementType
    formats: ScreenFormats
    caption: str = ""
    compare: Compare = "exact"
    max_length: int | None = None
    pattern: str | None = None
    choices: tuple[str, ...] = ()
    typed_as: str | None = None
    sensitive: bool = False

    @property
    def said(self) -> str:
        """What a message calls it."""
        return f'"{self.name}"'


class Unreadable(ValueError):
    """What an element shows is no value of its type."""


def field_of(element: Element, formats: ScreenFormats) -> Field:
    """An element as a field; a `read_only` is what it `holds`."""
    type: ElementType = element.holds if element.type == "read_only" else element.type
    return Field(
        name=element.name,
        type=type,
        formats=own_formats(type, element.format, formats),
        caption=element.caption[0] if element.caption else "",
        compare=element.compare,
        max_length=element.max_length,
        pattern=element.pattern,
        choices=element.choices,
        typed_as=element.typed_as,
        sensitive=element.sensitive,
    )


def field_of_column(column: Column, formats: ScreenFormats) -> Field:
    """A grid's column as a field."""
    return Field(
        name=column.name,
        type="text" if column.type == "read_only" else column.type,
        formats=own_formats(column.type, column.format, formats),
        caption=column.caption[0],
        compare=column.compare,
        max_length=column.max_length,
        choices=column.choices,
        sensitive=column.sensitive,
    )


def own_formats(type: str, own: str | None, formats: ScreenFormats) -> ScreenFormats:
    """The application's formats, overridden by an element's own."""
    if own is None:
        return formats
    if type == "date":
        return ScreenFormats(date=own, number=formats.number)
    return ScreenFormats(date=formats.date, number=own)


def fold(text: str) -> str:
    """The text as a page shows it: NFC, blanks folded."""
    return _FOLDED.sub(" ", unicodedata.normalize("NFC", text)).strip()


def fold_caption(text: str) -> str:
    """A caption as it is compared: whole, blanks folded, `:` and `*` at the end dropped."""
    return re.sub(r"[\s:*]+$", "", fold(text))


# from a value to what is typed


def typed(value: Value, field: Field) -> dict[str, Any]:
    """What is typed for a value: text, and `native` for controls that the browser draws itself.

    BusinessError (code value_not_possible): the screen can't hold it, and why; nothing was typed.
    """
    if field.type == "yes_no":
        if not isinstance(value, bool):
            raise _refused(field, value, "is neither yes nor no")
        return {"checked": value}
    if field.type in ("choice", "multi_choice"):
        texts = [_text(each, field) for each in (value if isinstance(value, (tuple, list)) else (value,))]
        for text in texts:
            if field.choices and text not in field.choices:
                raise _refused(field, text, f"is none of its choices ({', '.join(field.choices)})")
        return {"text": fold(texts[0]) if texts else "", "texts": [fold(text) for text in texts if text]}
    text = _text(value, field)
    native = native_text(value) if value != "" else ""
    return {"text": text, "native": native}


def native_text(value: Value) -> str:
    """How the browser's own date and number inputs take a value: ISO, with a point."""
    if isinstance(value, Decimal):
        return number_text(value)
    return value.isoformat() if isinstance(value, date) else str(value)


def _text(value: Value, field: Field) -> str:
    if value == "":
        return ""
    if field.type in ("number", "money"):
        return _number_text(value, field)
    if field.type == "date":
        if not is_date(value):
            raise _refused(field, value, "is not a date")
        return format_date(value, field.formats.date)  # type: ignore[arg-type]
    return _plain_text(value, field)


def _number_text(value: Value, field: Field) -> str:
    if not isinstance(value, Decimal) or isinstance(value, Percent):
        raise _refused(field, value, "is not a number")
    _, point = number_marks(field.formats.number)
    places = number_text(value).partition(".")[2]
    if len(places) > 2:
        raise _refused(field, value, "has more decimals than the 2 that the screen shows; round it in the workflow")
    ungrouped = f"1234{point}56"
    if field.type == "money":
        whole, _, decimals = number_text(value).partition(".")
        return f"{whole}{point}{decimals:0<2}"
    return format_number(value, ungrouped)


def _plain_text(value: Value, field: Field) -> str:
    if isinstance(value, (Mapping, FileValue)) or type(value).__name__ == "Table":
        raise _refused(field, value, "is no text")
    text = format_value(value)
    if _UNTYPEABLE.search(text):
        raise _refused(field, value, "holds a sign that can't be typed")
    if field.max_length is not None and len(text) > field.max_length:
        raise _refused(field, value, f"is longer than {field.max_length} characters")
    if field.pattern is not None and not mask(field.pattern).fullmatch(text):
        raise _refused(field, value, f"is not written like {field.pattern}")
    if field.typed_as is not None:
        if re.search(r"[\"'\\\r\n]", text):
            raise _refused(field, value, "holds a quote, a backslash or a line break, so it can't be searched for")
        return field.typed_as.replace("{value}", text)
    return text


def mask(pattern: str) -> re.Pattern[str]:
    """A mask: `#` a digit, `@` a letter, `?` either, the rest itself."""
    return re.compile("".join(_MASK.get(sign, re.escape(sign)) for sign in pattern))


def _refused(field: Field, value: Value, why: str) -> BusinessError:
    shown = "its value" if field.sensitive else f'"{format_value(value)}"'
    return BusinessError(f"{field.said} can't hold {shown}: it {why}", code="value_not_possible")


# from what is shown to a value


def shown(reading: Reading, field: Field) -> Value:
    """The value that an element shows, missing where it shows none. Unreadable: it is no value of its type."""
    if "checked" in reading:
        return bool(reading["checked"])
    if "files" in reading:
        return tuple(name for name, _ in reading["files"]) or None
    if field.type == "multi_choice":
        return tuple(reading.get("texts", ())) or None
    if reading.get("blank"):
        return None
    text = str(reading.get("lines") or reading["text"])
    if not text.strip():
        if reading.get("bad"):
            raise Unreadable(f"{field.said} holds something that is no {field.type}")
        return None
    return _value(text, field, native=reading.get("native"))


def _value(text: str, field: Field, *, native: str | None) -> Value:
    formats = _NATIVE_FORMATS if native else field.formats
    try:
        if field.type in ("number", "money"):
            return _number(text, field, formats)
        if field.type == "date":
            return read_date(text, (formats.date,))
    except ValueError as error:
        raise Unreadable(f'{field.said} shows "{text}", which {error}') from None
    return text


def _number(text: str, field: Field, formats: ScreenFormats) -> Decimal:
    thousands, point = number_marks(formats.number)
    bare = fold(text)
    if field.type == "money":
        bare = _CURRENCY.sub("", bare)
    number = read_number(bare, decimal=point, thousands=thousands)
    if len(bare.partition(point)[2].rstrip("-")) > 2 and formats is not _NATIVE_FORMATS:
        raise ValueError("has more decimals than the application writes")
    return number


# compared


def same(meant: Value, reading: Reading, field: Field) -> bool:
    """Whether an element shows what was meant. What can't be read is not the same."""
    if isinstance(meant, bool) or field.type == "yes_no":
        return reading.get("checked") is meant
    if field.type == "multi_choice":
        wanted = meant if isinstance(meant, (tuple, list)) else (meant,)
        return sorted(map(fold, map(format_value, wanted))) == sorted(reading.get("texts", ()))
    if field.type == "choice":
        return _same_text(fold(format_value(meant)), fold(str(reading["text"])), field)
    if field.type in ("number", "money", "date"):
        try:
            return shown(reading, field) == (None if meant == "" else meant)
        except Unreadable:
            return False
    return _same_text(_meant_text(meant, field), str(reading.get("lines") or reading["text"]), field)


def same_value(meant: Value, found: Value, field: Field) -> bool:
    """Whether a value that was read (a cell of a list) is what was meant; blanks of a page count as one."""
    if found is None or meant is None:
        return (found is None or found == "") and (meant is None or meant == "")
    if isinstance(found, str):
        return _same_text(fold(format_value(meant)), fold(found), field)
    return bool(found == meant)


def _meant_text(meant: Value, field: Field) -> str:
    text = format_value(meant)
    return text if field.typed_as is None or text == "" else field.typed_as.replace("{value}", text)


def _same_text(meant: str, found: str, field: Field) -> bool:
    meant, found = (unicodedata.normalize("NFC", text).replace("\r\n", "\n") for text in (meant, found))
    if field.compare == "digits only":
        return re.sub(r"\D", "", meant) == re.sub(r"\D", "", found)
    if field.compare == "contains":
        return holds_words(found, meant)
    return meant == found


def holds_words(text: str, words: str) -> bool:
    """Whether a text holds these words as whole words."""
    if not words.strip():
        return not text.strip()
    return re.search(rf"(?<!\w){re.escape(fold(words))}(?!\w)", fold(text)) is not None


def for_people(value: Value, field: Field) -> str:
    """A value for a message or the evidence; a sensitive one is not shown."""
    return "(hidden)" if field.sensitive else format_value(value) if not isinstance(value, datetime) else str(value)
