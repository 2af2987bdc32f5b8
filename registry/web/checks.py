"""What may be wrong with what was typed: of each field, what the registry can say before anything is tried."""

from __future__ import annotations

from registry.api import Registry
from registry.core import names, policy, select
from registry.core import version as versions_
from registry.core.plan import Choice, choose
from registry.errors import RegistryError, UsageError
from registry.web import fields as _f
from registry.web.actions import BUMPS, Action
from registry.web.fields import PAIRS, Said
from registry.web.refusal import Refusal


def problems(action: Action, registry: Registry, said: Said) -> dict[str, Refusal]:
    """What is wrong, by field. Where nothing is, `acting.preview` is worth a try."""
    found: dict[str, Refusal] = {}
    for field in action.fields:
        try:
            _f.check(field, said)
        except RegistryError as error:
            found[field.name] = Refusal.of(error)
    if found:
        return found  # the rest would be said of words that are none
    check = {"register": _check_new, "unassign": _check_unassign}.get(action.name, _check_known)
    for field in action.fields:
        try:
            check(registry, said, field.name)
            _check_way(action, registry, said, field.name)
        except RegistryError as error:
            found[field.name] = Refusal.of(error)
            if field.name == "name":
                break  # all others are about what it names
    return found


def _check_way(action: Action, registry: Registry, said: Said, field: str) -> None:
    """Fields that every action has. Raises RegistryError."""
    pushes = action.name == "push" or _f.ticked(said, "push")
    if field == "remote" and pushes and not registry.repository.pushes:
        registry.repository.remote(_f.line(said, "remote"))
    elif field == "offline" and pushes and _f.ticked(said, "offline"):
        raise UsageError("nothing is pushed without asking the remote", "choose one of the two")
    elif field in PAIRS:
        _f.pairs(said, field)


def _check_known(registry: Registry, said: Said, field: str) -> None:
    """Fields of an action on what is there. Raises RegistryError."""
    name = _f.line(said, "name")
    if name is None:
        return
    repository = registry.repository
    match field:
        case "name":
            names.check_artifact(name)
            repository.focus(name)
            repository.existing(name)
        case "version":
            select.select(repository.state(name), select.parse(_f.selector(said)))
        case "stage":
            stage = names.check_stage(_f.line(said, "stage") or "")
            policy.check_stage(repository.rules(name).lifecycle(name), stage)
        case _:
            pass


def _check_unassign(registry: Registry, said: Said, field: str) -> None:
    """As `_check_known`, but a stage that the manifest knows no more can still be left, by whatever is in it."""
    if field == "stage":
        names.check_stage(_f.line(said, "stage") or "")
    elif field != "version" or _f.line(said, "version") is not None:
        _check_known(registry, said, field)


def _check_new(registry: Registry, said: Said, field: str) -> None:
    """Fields of `register`. Raises RegistryError."""
    name = names.check_artifact(_f.line(said, "name") or "")
    repository = registry.repository
    repository.focus(name)
    revision = _f.line(said, "revision") or "HEAD"
    match field:
        case "name":
            if not _f.ticked(said, "undeclared") and (commit := _commit(registry, revision)) is not None:
                policy.check_declared(repository.manifest_at(commit, name), name)
        case "revision":
            _check_commit(registry, said, name, repository.commit(revision))
        case "version":
            _check_version(registry, said, name, _commit(registry, revision))
        case "pre":
            if _f.line(said, "pre") is not None and _f.line(said, "version") is not None:
                raise UsageError("the version says it all", "leave one of the two out")
            if _f.line(said, "pre") is not None:
                choose(repository.state(name), _choice(said))
        case _:
            pass


def _choice(said: Said) -> Choice:
    return Choice(_f.line(said, "version"), BUMPS[said.get("bump") or "patch"], _f.line(said, "pre"))


def _commit(registry: Registry, revision: str) -> str | None:
    try:
        return registry.repository.commit(revision)
    except RegistryError:
        return None  # said beside the field of the commit


def _check_commit(registry: Registry, said: Said, name: str, commit: str) -> None:
    """A commit that may be a version, whatever that is called. Raises Refused."""
    state = registry.repository.state(name)
    try:
        version = choose(state, _choice(said))
    except RegistryError:
        return  # said beside the version
    if version.text not in state.versions:
        policy.check_new_version(state, version, commit, _f.ticked(said, "force"), overwrite=True)


def _check_version(registry: Registry, said: Said, name: str, commit: str | None) -> None:
    """A version that was typed. Raises UsageError, Refused."""
    if (text := _f.line(said, "version")) is None:
        return
    version = versions_.check(text)
    state = registry.repository.state(name)
    if commit is not None and version.text in state.versions:
        overwrite = registry.repository.rules(name).version_rules(name).overwrite
        policy.check_new_version(state, version, commit, _f.ticked(said, "force"), overwrite=overwrite)
