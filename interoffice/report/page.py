"""Lays a story out as one HTML file: no network, no fonts, no scripts from elsewhere; good on paper too."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from interoffice.report.story import Story

if TYPE_CHECKING:
    from jinja2 import Template

OFFICES = (("front", "Front office"), ("middle", "Middle office"), ("back", "Back office"))


@cache
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string((files(__package__) / "page.html").read_text(encoding="utf-8"))


def render(story: Story) -> str:
    """The HTML text of a report."""
    style = (files(__package__) / "page.css").read_text(encoding="utf-8")
    script = (files(__package__) / "page_rows.js").read_text(encoding="utf-8")
    return _template().render(story=story, offices=OFFICES, style=style, script=script)


def write(story: Story, path: Path) -> Path:
    """Writes the report under another name first, so that a full disk leaves no half page."""
    text = render(story)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    try:
        with part.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
        part.replace(path)
    except OSError as error:
        if part.is_file():
            part.unlink()
        raise OSError(error.errno, error.strerror, str(path)) from error  # a full disk does not name the file
    return path
