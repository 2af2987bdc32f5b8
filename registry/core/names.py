"""The names of artifacts and stages, and the six forms of a tag (DESIGN part 2).

An artifact is written `DIR:NAME` everywhere but in a tag, where it is `DIR=NAME`; this module alone knows that.
Every pattern is matched whole (`fullmatch`) and in ASCII, so that neither a newline nor a foreign digit slips through.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from registry.errors import UsageError

WORD_PATTERN = r"[a-zA-Z0-9](?:[a-zA-Z0-9_/-]*[a-zA-Z0-9])?"  # and without "//"
_SEGMENT = r"[a-zA-Z0-9_][a-zA-Z0-9_.-]*"
_DIR = rf"{_SEGMENT}(?:/{_SEGMENT})*"
# SemVer 2.0.0, "Is there a suggested regular expression to check a SemVer string?", after our "v".
_NUMBER = r"(?:0|[1-9][0-9]*)"
_PRE = r"(?:0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)"
_BUILD = r"[0-9a-zA-Z-]+"
VERSION_PATTERN = rf"v{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-{_PRE}(?:\.{_PRE})*)?(?:\+{_BUILD}(?:\.{_BUILD})*)?"

_word = re.compile(WORD_PATTERN)
_dir = re.compile(_DIR)
_artifact = re.compile(rf"(?:(?P<dir>{_DIR}):)?(?P<name>{WORD_PATTERN})")
_tag = re.compile(
    rf"(?P<artifact>(?:{_DIR}=)?{WORD_PATTERN})"
    rf"(?:@(?:(?P<version>{VERSION_PATTERN})(?P<what>!|=)?|(?P<state>deprecated|created))"
    rf"|\#(?P<stage>{WORD_PATTERN})(?P<un>!)?)"
    r"(?:\#(?P<counter>[1-9][0-9]*))?"
)

MAX_COUNTER = 2**63 - 1
MAX_COMPONENT = 200  # bytes of one path component of a ref: file systems allow 255, and Git appends ".lock"
_DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}


class Form(Enum):
    """What a tag of ours says, from its name alone."""

    REGISTRATION = "registration"
    DEREGISTRATION = "deregistration"
    AMENDMENT = "amendment"
    ASSIGNMENT = "assignment"
    UNASSIGNMENT = "unassignment"
    DEPRECATION = "deprecation"
    CREATION = "creation"  # reserved by GTO: read, and ignored


@dataclass(frozen=True, slots=True)
class TagName:
    """A tag name taken apart. `version` and `stage` are set where the form has one, `counter` is the n after "#"."""

    form: Form
    artifact: str
    version: str | None = None
    stage: str | None = None
    counter: int | None = None

    def __str__(self) -> str:
        name = in_tag(self.artifact)
        end = "" if self.counter is None else f"#{self.counter}"
        match self.form:
            case Form.REGISTRATION:
                return f"{name}@{self.version}{end}"
            case Form.DEREGISTRATION:
                return f"{name}@{self.version}!{end}"
            case Form.AMENDMENT:
                return f"{name}@{self.version}={end}"
            case Form.ASSIGNMENT:
                return f"{name}#{self.stage}{end}"
            case Form.UNASSIGNMENT:
                return f"{name}#{self.stage}!{end}"
            case Form.DEPRECATION:
                return f"{name}@deprecated{end}"
            case Form.CREATION:
                return f"{name}@created{end}"


_VERSION_FORMS = {None: Form.REGISTRATION, "!": Form.DEREGISTRATION, "=": Form.AMENDMENT}
_STATE_FORMS = {"deprecated": Form.DEPRECATION, "created": Form.CREATION}


def parse_tag(tag: str) -> TagName | None:
    """`tag` (without refs/tags/) taken apart, or None where it is not in our format."""
    found = _tag.fullmatch(tag)
    if found is None or "//" in tag:
        return None
    written, version, what, state, stage, un, digits = found.groups()
    artifact = _named(written)
    if artifact is None:
        return None
    counter = None
    if digits is not None:
        counter = int(digits[:20])  # enough to see that it is too large
        if counter > MAX_COUNTER:
            return None
    if version is not None:
        if version.endswith(".lock") or (what == "=" and counter is None):
            return None
        return TagName(_VERSION_FORMS[what], artifact, version, None, counter)
    if state is not None:
        return TagName(_STATE_FORMS[state], artifact, None, None, counter)
    return TagName(Form.UNASSIGNMENT if un else Form.ASSIGNMENT, artifact, None, stage, counter)


@lru_cache(maxsize=256)  # an artifact's tags stand together, and share its name
def _named(written: str) -> str | None:
    """The artifact that tags write so, or None where its directory cannot be one."""
    directory, _, _ = written.rpartition("=")
    return None if directory and not _is_directory(directory) else written.replace("=", ":")


def in_tag(artifact: str) -> str:
    """The artifact as tags write it: `cv=pool` for `cv:pool`."""
    return artifact.replace(":", "=")


def from_tag(written: str) -> str:
    """The artifact that a tag writes so; what is none stays one that `is_artifact` refuses."""
    return written.replace("=", ":")


def directory_of(artifact: str) -> str:
    """The directory of the manifest that declares the artifact, "" for the root."""
    return artifact.rpartition(":")[0]


def qualified(directory: str, name: str) -> str:
    """The artifact `name` of the manifest in `directory` ("" for the root)."""
    return f"{directory}:{name}" if directory else name


def is_artifact(text: str) -> bool:
    """Whether `text` is an artifact's name in its written form, `[DIR:]NAME`."""
    found = _artifact.fullmatch(text)
    return found is not None and "//" not in text and (found.group("dir") is None or _is_directory(found.group("dir")))


def is_stage(text: str) -> bool:
    """Whether `text` can name a stage."""
    return _word.fullmatch(text) is not None and "//" not in text


def _is_directory(text: str) -> bool:
    return _dir.fullmatch(text) is not None and not any(
        ".." in segment or segment.endswith((".", ".lock")) for segment in text.split("/")
    )


_RULE = "letters and digits, with '-', '_' and '/' between them"


def check_artifact(text: str) -> str:
    """`text`, if it is the name of an artifact. Raises UsageError."""
    if is_artifact(text):
        return text
    hint = f"a name is {_RULE}, such as churn or cv:pool-seg"
    bare = re.split("[@#]", text)[0]
    image, _, version = text.rpartition(":")  # as containers are named
    if bare != text and is_artifact(bare):
        hint = f"the name alone is wanted: {bare}; a version or a stage is said apart"
    elif is_artifact(image) and re.match(r"v?[0-9]", version):
        hint = f"did you mean {image}@{version}?"
    raise UsageError(f"not a name for an artifact: {text!r}", hint)


def check_stage(text: str) -> str:
    """`text`, if it is the name of a stage. Raises UsageError."""
    if not is_stage(text):
        raise UsageError(f"not a name for a stage: {text!r}", f"a stage is {_RULE}, such as staging or prod/eu")
    return text


def travel_problem(tag: str) -> str | None:
    """Why a ref named `tag` would not reach every clone, in words, or None (DESIGN part 2, "what would not travel")."""
    for component in tag.split("/"):
        if len(component.encode()) > MAX_COMPONENT:
            return f"a part of the tag's name is longer than {MAX_COMPONENT} bytes"
        for word in re.split(r"[@#=!]", component):
            if word.split(".")[0].lower() in _DEVICES:
                return f"{word!r} is the name of a device on Windows"
    return None
