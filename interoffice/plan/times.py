"""What the settings say of time and of writing, for expressions: the zone, the calendar, the formats."""

from __future__ import annotations

from datetime import datetime

from interoffice.errors import ProjectError
from interoffice.language.calendars import Calendar, Times
from interoffice.model.settings import Settings
from interoffice.model.values import Formats


def calendar_of(settings: Settings, name: str | None = None) -> Calendar:
    """A calendar of the settings (left out: the project's own); where there is none, Monday to Friday."""
    said = settings.calendar_setting(name)
    wanted = name or settings.calendar
    if said is None:
        if wanted is not None:
            raise ProjectError(f'settings.yaml has no calendar "{wanted}"; describe it under "calendars"')
        return Calendar()
    return Calendar(country=said.country, financial=said.financial, also_closed=said.also_closed)


def times_of(settings: Settings, planned: datetime, zone: str | None = None) -> Times:
    """What `now` and `today` mean in a run that stands for this moment."""
    return Times(now=planned, zone=zone or settings.timezone, calendar=calendar_of(settings))


def formats_of(settings: Settings, zone: str | None = None) -> Formats:
    """How values are written for people."""
    return Formats(date=settings.date_format, number=settings.number_format, zone=zone or settings.timezone)
