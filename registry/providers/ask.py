"""Asking a provider about a run: for a bounded time, for a bounded answer, and never at the price of a registration."""

from __future__ import annotations

import contextvars
import re
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from importlib import metadata as installed
from typing import Any, TypeVar, cast

from registry.core import metadata
from registry.core.hiding import without_secrets, without_user
from registry.core.message import one_line
from registry.errors import NotFound, RegistryError, UsageError
from registry.providers.values import Found, Place

GROUP = "git_registry.runs"
PATIENCE = 30.0  # seconds for a provider to be imported and to answer
LOOK = 0.5  # seconds after which it is said that one is asked, and between two such words
MOST, LONGEST = 500, 1000  # metrics, as many parameters; characters of one: they become lines of a tag
_NOTES, _NOTE = 10, 200  # of one provider; characters of one
_NAMED = 3  # of what does not fit

_named = re.compile(r"(?P<provider>[A-Za-z][A-Za-z0-9_.-]*):(?P<run>(?!//).+)", re.DOTALL)
_page = re.compile(r"https?://[^\s\x00-\x1f\x7f]+", re.IGNORECASE)

T = TypeVar("T")
Progress = Callable[[str], None]


def look_up(run: str, place: Callable[[], Place], progress: Progress = lambda _: None) -> Found:
    """What is known of a run, where it says by `PROVIDER:` whom to ask; a URL is its own link. Never raises.

    `progress` hears that one is asked, where that takes longer, and "" when it has ended.
    """
    if is_page(run):
        return Found(run)
    said = _named.fullmatch(run)
    if said is None:
        return Found(notes=(f"{cut(run)} names no provider; it is recorded as it is",))
    try:
        return _soon(lambda: _bounded(run, _provider(said["provider"]).resolve(said["run"], place())), run, progress)
    except RegistryError as error:
        return Found(notes=(f"{cut(run)} is recorded as it is: {error.message}",))


def promoted(
    run: str, version: str, place: Callable[[], Place], progress: Progress = lambda _: None
) -> tuple[str, ...]:
    """Mark the run as one that became `version`, where its provider can; notes. Never raises."""
    said = _named.fullmatch(run)
    if said is None:
        return ()

    def mark() -> None:
        marking = getattr(_provider(said["provider"]), "promoted", None)
        if marking is not None:
            marking(said["run"], version, place())

    try:
        _soon(mark, run, progress)
    except RegistryError as error:
        return (f"{cut(run)} is not marked as {version}: {error.message}",)
    return ()


def is_page(text: str) -> bool:
    """Whether `text` is a link that a browser follows."""
    return _page.fullmatch(text) is not None


def cut(text: str, longest: int = 100) -> str:
    """The beginning of what somebody else wrote, for a note: in one line."""
    words = " ".join("".join(c if c.isprintable() else " " for c in text[: longest + 1]).split())
    return words if len(text) <= longest else f"{words[:longest]}…"


def _provider(name: str) -> Any:
    for point in installed.entry_points(group=GROUP, name=name):
        return point.load()
    lower = installed.entry_points(group=GROUP, name=name.lower())
    guess = f"; did you mean {name.lower()}?" if lower else ""
    raise NotFound(f"nothing that is installed knows runs of {cut(name)}{guess}", "")


def _soon(work: Callable[[], T], what: str, progress: Progress) -> T:
    """What `work` gives, unless it takes too long: then it is left alone. Raises RegistryError whatever it raised."""
    answers: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            answers.append(work())
        except BaseException as error:  # noqa: BLE001  (other people's code: it may even want to exit)
            errors.append(error)

    context = contextvars.copy_context()  # in which a script may have said where its tracking is
    thread = threading.Thread(target=context.run, args=(run,), name=f"registry: {cut(what)}", daemon=True)
    told = False
    with nullcontext() if sys.stderr is None else _apart(thread):
        thread.start()
        left = PATIENCE
        while left > 0 and thread.is_alive():
            thread.join(min(LOOK, left))
            left -= LOOK
            if left > 0 and thread.is_alive():
                progress(f"asking {cut(what)}, for at most {PATIENCE:.0f} seconds")
                told = True
    if told:
        progress("")
    for error in errors:
        raise error if isinstance(error, RegistryError) else RegistryError(_reason(error))
    if not answers:
        raise RegistryError(f"no answer in {PATIENCE:.0f} seconds")
    return answers[0]


_beside: set[threading.Thread] = set()  # those whose print() is no answer of ours
_one_at_a_time = threading.Lock()


@contextmanager
def _apart(thread: threading.Thread) -> Iterator[None]:
    """Standard output, but what this thread prints goes to standard error. One stands for all threads of a server."""
    with _one_at_a_time:
        _beside.add(thread)
        if not isinstance(sys.stdout, _Aside):
            sys.stdout = cast("Any", _Aside(sys.stdout))
    try:
        yield
    finally:
        with _one_at_a_time:
            _beside.discard(thread)
            if not _beside and isinstance(sys.stdout, _Aside):
                sys.stdout = sys.stdout.there


class _Aside:
    """Standard output for all but the threads `_beside`."""

    def __init__(self, there: Any) -> None:
        self.there = there

    def __getattr__(self, name: str) -> Any:
        return getattr(sys.stderr if threading.current_thread() in _beside else self.there, name)


def _reason(error: BaseException) -> str:
    """Another program's error in one short line, without passwords."""
    if isinstance(error, ModuleNotFoundError) and error.name:
        return f"{error.name.partition('.')[0]} is not installed"
    return without_secrets(cut(str(error), 200) or type(error).__name__)


def _bounded(run: str, found: object) -> Found:
    """As much of an answer as we take. Raises RegistryError where it is none."""
    if not isinstance(found, Found):
        raise RegistryError(f"its provider answers a {type(found).__name__}, and no Found")
    if not isinstance(found.metrics, Mapping) or not isinstance(found.params, Mapping):
        raise RegistryError("its provider answers metrics or parameters that are no mapping")
    if not isinstance(found.notes, (tuple, list)) or not all(isinstance(note, str) for note in found.notes):
        raise RegistryError("its provider answers notes that are no texts")
    metrics, params = fitting(_said(found.metrics))[0], fitting(_said(found.params))[0]
    notes = [cut(note, _NOTE) for note in found.notes[:_NOTES]]
    lost = [name for all_, kept in ((found.metrics, metrics), (found.params, params)) for name in all_.keys() - kept]
    if lost:
        few = ", ".join(sorted(cut(str(name), 40) or "''" for name in lost)[:_NAMED])
        what = "metrics and parameters" if len(lost) > 1 else "metric or parameter"
        do = "do not fit into a tag, and are" if len(lost) > 1 else "does not fit into a tag, and is"
        notes.append(f"{len(lost)} {what} of {cut(run)} {do} left out: {few}{', ...' if len(lost) > _NAMED else ''}")
    url = without_user(found.url) if isinstance(found.url, str) and is_page(found.url) else None
    return Found(url if url is not None and len(url) <= LONGEST else None, metrics, params, tuple(notes), asked=True)


def _said(values: Mapping[str, object]) -> dict[str, object]:
    """Without empty values: in an amendment, one removes what is there."""
    return {name: value for name, value in values.items() if not (isinstance(value, str) and value == "")}


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
