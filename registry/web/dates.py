"""Dates as people say them: how long ago, and exactly."""

from __future__ import annotations

from datetime import datetime, timezone

_STEPS = (
    (60, 1, "second"),
    (60 * 60, 60, "minute"),
    (24 * 3600, 3600, "hour"),
    (14 * 86400, 86400, "day"),
    (60 * 86400, 7 * 86400, "week"),
    (730 * 86400, 30.44 * 86400, "month"),
)


def ago(iso: str, now: datetime) -> str:
    """How long before `now` a date in ISO 8601 lies: "3 days ago", "in 2 hours", "just now"."""
    moment = parse(iso)
    if moment is None:
        return iso
    seconds = (now - moment).total_seconds()
    distance = abs(seconds)
    if distance < 45:
        return "just now"
    size, word = next(((size, word) for end, size, word in _STEPS if distance < end), (365.25 * 86400, "year"))
    number = max(1, int(distance / size))
    words = f"{number} {word}{'' if number == 1 else 's'}"
    return f"{words} ago" if seconds > 0 else f"in {words}"


def exact(iso: str) -> str:
    """The date to the second, in the zone that it was written in."""
    moment = parse(iso)
    if moment is None:
        return iso
    zone = moment.strftime("%z")
    return f"{moment:%Y-%m-%d %H:%M:%S} {'UTC' if zone in {'', '+0000'} else f'{zone[:3]}:{zone[3:5]}'}"


def parse(iso: str) -> datetime | None:
    """The moment that a date in ISO 8601 says, or None."""
    try:
        moment = datetime.fromisoformat(iso)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=timezone.utc)
