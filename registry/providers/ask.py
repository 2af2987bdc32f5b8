"""Asking a provider about a run: for a bounded time, for a bounded answer, and never at the price of a registration."""

from __future__ import annotations

import contextvars
import re
import threading
from collections.abc import Callable, Mapping
from importlib import metadata as installed
from typing import Any, TypeVar

from registry.artifacts.hiding import without_secrets
from registry.core import metadata
from registry.core.message import one_line
from registry.errors import NotFound, RegistryError, UsageError
from registry.providers.values import Found, Place

GROUP = "git_registry.runs"
PATIENCE = 30.0  # seconds for a provider to be imported and to answer
MOST, LONGEST = 500, 1000  # metrics, as many parameters; characters of one: they become lines of a tag

_named = re.compile(r"(?P<provider>[A-Za-z][A-Za-z0-9_.-]*):(?P<run>(?!//).+)", re.DOTALL)
_page = re.compile(r"https?://[^\s\x00-\x1f\x7f]+", re.IGNORECASE)

T = TypeVar("T")


def look_up(run: str, place: Callable[[], Place]) -> Found:
    """What is known of a run, where it says by `PROVIDER:` whom to ask; a URL is its own link. Never raises."""
    if is_page(run):
        return Found(run)
    said = _named.fullmatch(run)
    if said is None:
        return Found()
    try:
        found = _soon(lambda: _provider(said["provider"]).resolve(said["run"], place()), run)
    except RegistryError as error:
        return Found(notes=(f"{run} is recorded as it is: {error.message}",))
    return _bounded(run, found)


def promoted(run: str, version: str, place: Callable[[], Place]) -> tuple[str, ...]:
    """Mark the run as one that became `version`, where its provider can; notes. Never raises."""
    said = _named.fullmatch(run)
    if said is None:
        return ()

    def mark() -> None:
        marking = getattr(_provider(said["provider"]), "promoted", None)
        if marking is not None:
            marking(said["run"], version, place())

    try:
        _soon(mark, run)
    except RegistryError as error:
        return (f"{run} is not marked as {version}: {error.message}",)
    return ()


def is_page(text: str) -> bool:
    """Whether `text` is a link that a browser follows."""
    return _page.fullmatch(text) is not None


def _provider(name: str) -> Any:
    for point in installed.entry_points(group=GROUP, name=name):
        return point.load()
    raise NotFound(f"nothing that is installed knows runs of {name}", "")


def _soon(work: Callable[[], T], what: str) -> T:
    """What `work` gives, unless it takes too long: then it is left alone. Raises RegistryError whatever it raised."""
    answers: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            answers.append(work())
        except BaseException as error:  # noqa: BLE001  (other people's code: it may even want to exit)
            errors.append(error)

    context = contextvars.copy_context()  # in which a script may have said where its tracking is
    thread = threading.Thread(target=context.run, args=(run,), name=f"registry: {what}", daemon=True)
    thread.start()
    thread.join(PATIENCE)
    for error in errors:
        raise error if isinstance(error, RegistryError) else RegistryError(_reason(error))
    if not answers:
        raise RegistryError(f"no answer in {PATIENCE:.0f} seconds")
    return answers[0]


def _reason(error: BaseException) -> str:
    """Another program's error in one short line, without passwords."""
    if isinstance(error, ModuleNotFoundError) and error.name:
        return f"{error.name.partition('.')[0]} is not installed"
    words = " ".join("".join(c if c.isprintable() else " " for c in str(error)).split())
    return without_secrets(words[:200] or type(error).__name__)


def _bounded(run: str, found: Found) -> Found:
    metrics, fewer = fitting(found.metrics)
    params, left = fitting(found.params)
    notes = list(found.notes)
    if fewer or left:
        notes.append(f"{fewer + left} metrics and parameters of {run} do not fit into a tag, and are left out")
    url = found.url if found.url is not None and is_page(found.url) and len(found.url) <= LONGEST else None
    return Found(url, metrics, params, tuple(notes), asked=True)


def fitting(values: Mapping[str, object]) -> tuple[dict[str, object], int]:
    """Those metrics, parameters or tags that a tag can hold, and how many it cannot."""
    kept = {name: value for name, value in values.items() if _fits(name, value)}
    few = dict(list(kept.items())[:MOST])
    return few, len(values) - len(few)


def _fits(name: object, value: object) -> bool:
    if not isinstance(name, str) or not name or "=" in name or name != name.strip():
        return False
    if value is not None and not isinstance(value, (str, bool, int, float)):
        return False
    text = f"{name}={metadata.spell(value)}"
    try:
        return len(text) <= LONGEST and one_line(text, "it") == text
    except UsageError:
        return False
