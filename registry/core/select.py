"""Selectors: how a person names a version (DESIGN part 3)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from registry.core import names
from registry.core import version as versions_
from registry.core.events import natural
from registry.core.ranges import Range, parse_range
from registry.core.state import ArtifactState, VersionState
from registry.errors import NotFound, UsageError


@dataclass(frozen=True, slots=True)
class Selector:
    """`artifact` alone, `artifact@what` or `artifact#stage`, as typed; exactly one of `what` and `stage` may be set."""

    artifact: str
    what: str | None = None
    stage: str | None = None

    @property
    def exact(self) -> bool:
        """Whether it names one version, by SemVer or by number, whatever else there is."""
        return self.what is not None and (versions_.parse(self.what) is not None or natural(self.what) is not None)

    def __str__(self) -> str:
        if self.stage is not None:
            return f"{self.artifact}#{self.stage}"
        return self.artifact if self.what is None else f"{self.artifact}@{self.what}"


@dataclass(frozen=True, slots=True)
class Selected:
    """What a selector means: a version, or, in a stage where no version is at the commit, a bare commit."""

    artifact: str
    commit: str
    version: VersionState | None

    @property
    def subject(self) -> str:
        """The version, or the commit's full id."""
        return self.commit if self.version is None else self.version.name


_KEYWORDS = ("latest", "greatest", "stable", "newest")
_line = re.compile(r"v(0|[1-9][0-9]*)(?:\.(0|[1-9][0-9]*))?")


def parse(text: str) -> Selector:
    """The selector that `text` spells. Raises UsageError."""
    if not isinstance(text, str):
        raise UsageError(f"not a selector: {text!r}", "such as 'churn@latest' or 'churn#production'")
    found = re.search(r"[@#]", text)
    if found is None:
        return Selector(names.check_artifact(text))
    artifact, rest = text[: found.start()], text[found.end() :]
    if artifact == "":
        raise UsageError(f"nothing before the {found.group()!r} in {text!r}", "an artifact's name, such as churn")
    names.check_artifact(artifact)
    if rest == "":
        such = f"{artifact}@latest" if found.group() == "@" else f"{artifact}#production"
        hint = f"such as {such}; a range in single quotes, for a shell takes > for itself: '{artifact}@>=1.2'"
        raise UsageError(f"nothing after the {found.group()!r} in {text!r}", hint)
    if found.group() == "#":
        return Selector(artifact, stage=names.check_stage(rest))
    if not (rest in _KEYWORDS or natural(rest) or _line.fullmatch(rest) or _is_range(rest)):
        if rest.isalpha() and rest[0] != "v" and names.is_stage(rest):
            raise UsageError(f"not a version: {rest!r}", f"what is in the stage {rest} is '{artifact}#{rest}'")
        versions_.check(rest)
    return Selector(artifact, what=rest)


def selector_of(artifact: str, version: str | int) -> str:
    """The selector that `version` makes of `artifact`: a number, a version, a range or a keyword, else a stage."""
    if isinstance(version, int):
        return f"{artifact}@{version}"
    if not isinstance(version, str):
        raise UsageError(f"not a version: {version!r}", "a stage, 'latest', a number, or a version such as 'v1.2.0'")
    try:
        parse(f"{artifact}@{version}")
    except UsageError:
        if versions_.parse(f"v{version}") is not None:
            raise
        return f"{artifact}#{version}"
    return f"{artifact}@{version}"


def _is_range(text: str) -> bool:
    return text[0] in "^~<>=!"


def select(state: ArtifactState, selector: Selector) -> Selected:
    """What `selector` means in `state`. Raises NotFound with what there is instead, or UsageError for a bad range."""
    if selector.stage is not None:
        return _in_stage(state, selector.stage)
    version = _select_version(state, selector.what or "latest")
    return Selected(state.name, version.commit, version)


def _select_version(state: ArtifactState, what: str) -> VersionState:
    found: VersionState | None
    if what in {"latest", "greatest"}:
        found = state.latest
    elif what == "stable":
        found = state.stable
    elif what == "newest":
        found = state.newest
    elif (number := natural(what)) is not None:
        found = _only(state, [v for v in state.versions.values() if v.number == number])
    elif (line := _line.fullmatch(what)) is not None:
        wanted = tuple(part for part in line.groups() if part is not None)
        found = _last_release(state, lambda v: v.version.numbers[: len(wanted)] == wanted)
    elif _is_range(what):
        found = _in_range(state, parse_range(what))
    else:
        name = versions_.check(what).text
        found = _only(state, [state.versions[name]] if name in state.versions else [])
    if found is None:
        raise _no_version(state, what)
    return found


def _only(state: ArtifactState, found: Sequence[VersionState]) -> VersionState | None:
    if not found:
        return None
    version = found[0]
    if not version.active:
        gone = version.deregistration
        who = f" by {gone.by.name} on {gone.by.iso[:10]}" if gone is not None else ""
        raise NotFound(f"{state.name}@{version.name} was deregistered{who}", _there(state))
    return version


def _last_release(state: ArtifactState, wanted: Callable[[VersionState], bool]) -> VersionState | None:
    return next((v for v in reversed(state.active) if not v.version.is_prerelease and wanted(v)), None)


def _in_range(state: ArtifactState, wanted: Range) -> VersionState | None:
    return next((v for v in reversed(state.active) if wanted.allows(v.version)), None)


def _no_version(state: ArtifactState, what: str) -> NotFound:
    if not state.versions:
        return NotFound(f"{state.name} has no versions", f"registry register {state.name} makes the first one")
    return NotFound(f"{state.name}@{what} is not there", _there(state))


def _there(state: ArtifactState) -> str:
    names_ = [v.name for v in reversed(state.active)]
    if not names_:
        return f"{state.name} has no active version"
    more = f" and {len(names_) - 5} more" if len(names_) > 5 else ""
    return f"there is {', '.join(names_[:5])}{more}"


def _in_stage(state: ArtifactState, stage: str) -> Selected:
    holders = state.holdings.get(stage)
    if not holders:
        stages = ", ".join(f"{s} ({v[:7] if versions_.parse(v) is None else v})" for s, v in state.stages.items())
        there = nearest(stage, state.holdings)
        held = f"there is {stages}" if stages else "registry assign puts a version into one: none is held"
        hint = f"did you mean {state.name}#{there}?" if there else held
        raise NotFound(f"nothing of {state.name} is in stage {stage}", hint)
    subject = holders[0].subject
    version = state.versions.get(subject)
    return Selected(state.name, subject if version is None else version.commit, version)


def nearest(word: str, there: Iterable[str]) -> str | None:
    """The one of `there` that `word` was probably meant to be, or None."""
    from difflib import get_close_matches  # for the mistaken alone

    by_case = {name.lower(): name for name in there}
    close = get_close_matches(word.lower(), by_case, n=1)
    return by_case[close[0]] if close else None
