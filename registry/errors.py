"""The errors that a person or a script can meet.

Each says in one line what happened to what; `hint` says what to do about it. One place, `registry.cli`, maps them to
exit codes (DESIGN part 5): a `UsageError` is 2, every other `RegistryError` is 1.
"""

from __future__ import annotations


class RegistryError(Exception):
    """Something that was asked for cannot be done. `hint` is one line of advice, or empty."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(RegistryError):
    """The words of the request are malformed: a name, a version, a selector, an option."""


class NotFound(RegistryError):
    """What was named does not exist: an artifact, a version, a stage, a revision, a repository."""


class Refused(RegistryError):
    """A rule forbids it: the version exists, the stage wants another one first, the file is too large."""


class Taken(Refused):
    """Somebody was faster: the ref that was to be created is there already."""


class ManifestError(RegistryError):
    """A manifest cannot be read or does not say what is needed."""


class GitFailed(RegistryError):
    """Git itself failed, or is not there, or the repository cannot be read or written."""


class StoreFailed(RegistryError):
    """Git LFS, DVC or a URL, where bytes lie outside of Git, cannot be read, or what reads it is not installed."""
