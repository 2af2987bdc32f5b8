"""Versions: `v`-prefixed SemVer 2.0.0, their precedence, and the next one (https://semver.org, clauses 9 to 11).

Precedence is written out here, for it is compared 100,000 times in one command; bumping is the `semver` package's,
imported when a version is bumped. A test holds the two to the same answers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeAlias

from registry.core.names import VERSION_PATTERN
from registry.errors import UsageError

Bump: TypeAlias = Literal["major", "minor", "patch"]

# A numeric identifier compares by (length, digits), as integers without leading zeros do: a hostile one of 10,000
# digits costs nothing, where int() would refuse it.
_Number: TypeAlias = tuple[int, str]
Precedence: TypeAlias = tuple[_Number, _Number, _Number, int, tuple[tuple[int, int, str], ...]]

_version = re.compile(VERSION_PATTERN)


@dataclass(frozen=True, slots=True)
class Version:
    """One version. `text` is as in tags, `v1.2.3-rc.1+build`; equal precedence is not equality (clause 10)."""

    text: str
    precedence: Precedence

    def __str__(self) -> str:
        return self.text

    @property
    def is_prerelease(self) -> bool:
        """Whether it has a pre-release part (clause 9)."""
        return self.precedence[3] == 0

    @property
    def numbers(self) -> tuple[str, str, str]:
        """Major, minor and patch, as digits."""
        major, minor, patch = self.precedence[:3]
        return major[1], minor[1], patch[1]


@lru_cache(maxsize=4096)
def parse(text: str) -> Version | None:
    """The version that `text` spells, or None."""
    if _version.fullmatch(text) is None or text.endswith(".lock"):
        return None
    core, _, pre = text[1:].partition("+")[0].partition("-")
    major, minor, patch = core.split(".")
    return Version(text, (_number(major), _number(minor), _number(patch), 0 if pre else 1, _identifiers(pre)))


@lru_cache(maxsize=1024)
def _number(digits: str) -> _Number:
    return len(digits), digits


def _identifiers(pre: str) -> tuple[tuple[int, int, str], ...]:
    # Clause 11.4: numeric identifiers numerically and below the others; those lexically, in ASCII.
    return tuple((0, len(i), i) if i.isdigit() else (1, 0, i) for i in pre.split(".")) if pre else ()


def check(text: str) -> Version:
    """The version that a person typed. Raises UsageError that says what is wrong with it."""
    found = parse(text)
    if found is not None:
        return found
    if text == "":
        raise UsageError("the version is empty", "leave --version out for the next patch, or say one such as v1.2.0")
    if parse(f"v{text}") is not None:
        raise UsageError(f"not a version: {text!r}", f"did you mean v{text}?")
    if parse(text.lower()) is not None:
        raise UsageError(f"not a version: {text!r}", f"did you mean {text.lower()}?")
    if re.fullmatch(r"v?[0-9]+(?:\.[0-9]+)?", text):
        full = "v" + text.lstrip("v") + ".0" * (2 - text.count("."))
        if parse(full) is not None:
            raise UsageError(f"not a version: {text!r}", f"all three numbers are needed, such as {full}")
    raise UsageError(f"not a version: {text!r}", "a version is v-prefixed SemVer, such as v1.2.0 or v1.2.0-rc.1")


FIRST = "v0.0.1"  # DESIGN part 5: the first version, unless told otherwise


def bump(version: Version, part: Bump, pre: str | None = None) -> Version:
    """The version after `version`: semver's `next_version`, or the next pre-release `pre` of it.

    From v1.2.1-rc.1, `patch` is v1.2.1; with `pre="rc"`, v1.2.1-rc.2. From the release v1.2.0, `patch` with
    `pre="rc"` is v1.2.1-rc.1. Raises UsageError where `pre` cannot stand in a version.
    """
    if pre is not None and not re.fullmatch(r"[0-9A-Za-z-]*[A-Za-z-][0-9A-Za-z-]*", pre):
        hint = "letters, digits and '-', such as rc or beta; its number is counted"
        raise UsageError(f"not a name for a pre-release: {pre!r}", hint)
    import semver  # only bumping needs it, and it takes as long to import as click

    try:
        # Build metadata has no precedence (SemVer 10): semver before 3.1 takes 1.2.3 for what follows 1.2.3+build.
        old = semver.Version.parse(version.text[1:]).replace(build=None)
        target = old.next_version(part)
        if pre is None:
            return check(f"v{target}")
        candidates = [target.replace(prerelease=f"{pre}.1"), target.next_version(part).replace(prerelease=f"{pre}.1")]
        if old.prerelease is not None and old.prerelease.split(".")[0] == pre:
            candidates.insert(1, old.bump_prerelease())
        return check(f"v{next(new for new in candidates if new > old)}")
    except (ValueError, StopIteration) as error:
        raise UsageError(f"cannot go on from {version}", "say which version with --version") from error
