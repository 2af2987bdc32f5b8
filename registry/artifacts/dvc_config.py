"""Where DVC's bytes are: the remotes that a commit names, with what the clone's owner has added.

A commit is a stranger's word, so of its remotes only those keys count that say where and how, and none that names a
file with credentials or a command. What the owner keeps in `.dvc/config.local`, out of Git, counts as it is.
"""

from __future__ import annotations

import configparser
import os
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from registry.core.manifest import Json
from registry.errors import StoreFailed
from registry.plumbing import objects
from registry.plumbing.process import Git

CONFIG = ".dvc/config"
_LOCAL = ".dvc/config.local"
_LIMIT = 1000 * 1000  # bytes

# https://doc.dvc.org/command-reference/remote/modify
_HARMLESS = frozenset(
    [
        "url",
        "endpointurl",
        "region",
        "use_ssl",
        "allow_anonymous_login",
        "read_timeout",
        "connect_timeout",
        "timeout",
        "user",
        "port",
        "auth",
        "method",
        "projectname",
        "account_name",
        "tenant_id",
        "allow_unauthenticated",
        "profile",
        "verify",
    ]
)
# Paths, which DVC takes relative to the file that names them.
_PATHS = frozenset(
    [
        "url",
        "credentialpath",
        "configpath",
        "keyfile",
        "ssl_verify",
        "cert_path",
        "key_path",
        "gdrive_user_credentials_file",
        "gdrive_service_account_json_file_path",
        "oss_config_path",
    ]
)


@dataclass(frozen=True, slots=True)
class Project:
    """A DVC project as it was at a commit; `root` is the top of the clone's work tree, None where there is none."""

    git: Git
    commit: str
    root: str | None


@dataclass
class _Settings:
    core: dict[str, str] = field(default_factory=dict)
    cache: dict[str, str] = field(default_factory=dict)
    remotes: dict[str, dict[str, str]] = field(default_factory=dict)


def caches(project: Project) -> list[Path]:
    """The directories in which the clone may have objects."""
    if project.root is None:
        return []
    of_dvc = Path(project.root, ".dvc")
    named = _settings(project).cache.get("dir")
    return [of_dvc / "cache", *([of_dvc / named] if named else [])]


def names_remote(project: Project, outputs: Iterable[str | None]) -> bool:
    """Whether somebody says where the bytes are: of outputs that each name their remote, or None for the usual one."""
    return bool(_settings(project).core.get("remote")) or all(remote is not None for remote in outputs)


def build(project: Project, cache: Path) -> dict[str, Json]:
    """The configuration of a project that fetches into `cache`, as DVC takes it in memory: it may hold secrets.

    Raises StoreFailed.
    """
    settings = _settings(project)
    core: dict[str, Json] = {"no_scm": True, "analytics": False, "check_update": False, "autostage": False}
    if remote := settings.core.get("remote"):
        core["remote"] = _plain(remote).lower()
        if "url" not in settings.remotes.get(remote.lower(), {"url": ""}):
            raise StoreFailed(f"DVC's remote {remote} has no URL at this commit", "dvc remote modify --local adds one")
    remotes: dict[str, Json] = {
        _plain(name): {_plain(key): _plain(value) for key, value in values.items()}
        for name, values in settings.remotes.items()
    }
    return {"core": core, "cache": {"dir": os.fspath(cache), "type": "copy"}, "remote": remotes}


def _settings(project: Project) -> _Settings:
    merged = _Settings()
    for settings in _sources(project):
        merged.core.update(settings.core)
        merged.cache.update(settings.cache)
        for name, values in settings.remotes.items():
            merged.remotes.setdefault(name, {}).update(values)
    return merged


def _sources(project: Project) -> Iterator[_Settings]:
    """The settings of the commit, then those of the clone's owner."""
    base = None if project.root is None else Path(project.root, ".dvc")
    [found] = objects.read_objects(project.git, [f"{project.commit}:{CONFIG}"], only_type="blob", limit=_LIMIT)
    if found.data is not None:
        said = _parsed(found.data.decode(errors="surrogateescape"), base, CONFIG)
        for values in said.remotes.values():
            for key in [key for key in values if key not in _HARMLESS]:
                del values[key]
        yield said
    if base is None or project.root is None:
        return
    # A stranger can commit a file of that name, or a link or a submodule in the place of its directory.
    tracked = project.git.read("ls-files", "-z", "--full-name", "--", ":(top,literal).dvc").split(b"\0")
    local = Path(project.root, _LOCAL)
    if local.is_file() and not {b".dvc", _LOCAL.encode()} & {*tracked}:
        yield _parsed(local.read_text(encoding="utf-8", errors="surrogateescape"), base, _LOCAL)


def _parsed(text: str, base: Path | None, source: str) -> _Settings:
    parser = configparser.RawConfigParser(strict=False, default_section="", inline_comment_prefixes=(" #",))
    try:
        if "\0" in text:  # which no path holds
            raise configparser.Error("a NUL")
        parser.read_string(text)
    except configparser.Error as error:
        raise StoreFailed(f"{source} cannot be read", "dvc config --list says why") from error
    settings = _Settings()
    for section in parser.sections():
        values = {key: _unquoted(value) for key, value in parser.items(section) if value is not None}
        remote = re.fullmatch(r"""['"]?remote "([^"'\]\s]+)"['"]?""", section.strip())
        if section in {"core", "cache"}:
            getattr(settings, section).update(values)
        elif remote is not None:
            # DVC, too, knows names in lower case only.
            settings.remotes[remote[1].lower()] = _located(values, base)
    return settings


def _located(values: Mapping[str, str], base: Path | None) -> dict[str, str]:
    """`values` with absolute paths; those that a repository without a work tree cannot have are left out."""
    found = {}
    for key, value in values.items():
        if key not in _PATHS or "://" in value or value.lower() in {"true", "false"} or os.path.isabs(value):  # noqa: PTH117
            found[key] = value
        elif base is not None:
            found[key] = os.path.normpath(base / os.path.expanduser(value))  # noqa: PTH111  (as DVC does, in text)
    return found


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"" else value


def _plain(value: str) -> str:
    """A name or a value, which no reader of configurations could take for more than one."""
    if any(unicodedata.category(sign) in {"Cc", "Zl", "Zp"} for sign in value) or any(
        quotes in value for quotes in ("'''", '"""')
    ):
        raise StoreFailed(
            "a setting of DVC's has a control character or three quotes in it", "dvc config --list shows it"
        )
    return value
