"""The pages of forms: an action's fields as they were left, with what can be chosen; the question before it acts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from markupsafe import Markup, escape

from registry.core import names, policy
from registry.errors import RegistryError
from registry.web import hints, links, picker
from registry.web.acting import Preview
from registry.web.actions import BUMPS, Action
from registry.web.fields import Field, Said
from registry.web.page import Page
from registry.web.refusal import Refusal

if TYPE_CHECKING:
    from registry.api import Registry
    from registry.porcelain.sync import Unpublished
    from registry.web.picker import Picker
    from registry.web.sources import Desk, Sources

Errors: TypeAlias = Mapping[str, Refusal]  # by field; "" stands for the whole form

_OFFERED = 1000  # suggestions of one field


@dataclass(frozen=True, slots=True)
class Entry:
    """A field with what was typed, as it is: `value` is escaped and nothing else. `offered` are suggestions."""

    field: Field
    value: Markup
    error: str
    offered: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Look:
    """What a form about a new version shows: the next ones, by each way of counting on, and commits to pick from."""

    nexts: Mapping[str, str]
    picker: Picker


@dataclass(frozen=True, slots=True)
class Form:
    """One form: its action, the repository, and its id, under which what was typed is remembered."""

    action: Action
    desk: Desk
    id: str


def fields_of(action: Action, desk: Desk) -> list[Field]:
    """The fields of an action: those about remotes are there where there are some, or several to choose from."""
    remotes = desk.remotes
    left_out = {*(() if remotes else ("push", "offline")), *(() if len(remotes) > 1 else ("remote",))}
    fields = [field for field in action.fields if field.name not in left_out]
    return [_of_remotes(field, desk, remotes) if field.name == "remote" else field for field in fields]


def form_page(sources: Sources, form: Form, typed: Said, errors: Errors) -> tuple[Page, int]:
    """The page of a form with what was typed, and its status: a branch that is none is told whatever else is right."""
    action, desk = form.action, form.desk
    fields = fields_of(action, desk)
    name = typed.get("name", "").strip()
    offered = _offered(sources, action, desk, name)
    look = look_at(sources, desk, typed) if action.name == "register" else None
    on_page = {commit.id for commit in look.picker.commits} if look is not None else set()
    pick = typed.get("pick", "")
    elsewhere = pick if pick not in on_page else ""  # it cannot be picked on this page: it stands there as if typed
    said = {**typed, "revision": typed.get("revision") or elsewhere}
    entries = [
        Entry(
            field,
            escape(said.get(field.name, "")),
            hints.words(errors[field.name], fields) if field.name in errors else "",
            offered.get(field.name, ()),
        )
        for field in fields
    ]
    general = [error for at, error in errors.items() if at not in {"branch", *(field.name for field in fields)}]
    waiting, impossible = _waiting(desk, name, typed.get("remote") or None) if action.name == "push" else (None, "")
    problem = look.picker.problem if look is not None else None
    wrong = [one for one in entries if one.error]
    context = {
        **_shared(form, name),
        "entries": [one for one in entries if not one.field.more],
        "more": [one for one in entries if one.field.more],
        "open": any(one.value or one.error for one in entries if one.field.more),
        "problem": hints.words(general[0], fields) if general else "",
        "wrong": wrong,
        "focus": wrong[0].field.name if wrong else "",
        "picker": look.picker if look is not None else None,
        "picker_problem": hints.words(problem, fields) if problem is not None else "",
        "pick": pick if pick in on_page else "",
        "nexts": look.nexts if look is not None else {},
        "waiting": waiting,
        "impossible": impossible,
    }
    refused = bool(errors or (typed.get("branch") and problem is not None))
    title = f"Error: {action.title}" if refused else action.title
    return Page(f"act/{action.name}.html", title, "act/form.html", context), 422 if refused else 200


def question_page(form: Form, said: Said, shown: Preview, *, change: str, changed: bool) -> Page:
    """The page that asks whether one is sure; `change` leads back; `changed`, it was another question before."""
    action = form.action
    context = {
        **_shared(form, said.get("name", "").strip()),
        "said": {name: escape(value) for name, value in said.items()},
        "shown": shown,
        "changed": changed,
        "change": change,
    }
    return Page(f"act/{action.name}.html", f"{action.title}?", "act/sure.html", context)


def look_at(sources: Sources, desk: Desk, typed: Said, patience: float | None = None) -> Look:
    """The next versions, and the commits to pick from; in a clone by what is here, while others may act. At a URL, they
    are waited for with `patience`, as `Desk.act` does."""
    look = partial(_look, typed.get("name", "").strip(), typed.get("branch", ""), typed.get("before", ""))
    if desk.is_url:
        return desk.act(look, lately=True, patience=patience)[0]
    with sources.reading(desk.source.slug):
        return look(desk.source.registry)


def _of_remotes(field: Field, desk: Desk, remotes: Sequence[str]) -> Field:
    try:
        hint = f"{field.hint}; {desk.fresh.remote().name} where none is chosen"
    except RegistryError:
        hint = f"{field.hint}: choose one"
    return replace(field, choices=tuple(remotes), hint=hint)


def _shared(form: Form, name: str) -> dict[str, object]:
    source = form.desk.source
    back = links.model(source.slug, name) if names.is_artifact(name) else "index.html"
    return {"action": form.action, "source": source, "once": form.id, "back": back, "name": name}


def _offered(sources: Sources, action: Action, desk: Desk, name: str) -> dict[str, Sequence[str]]:
    """What can be chosen, by field."""
    with sources.reading(desk.source.slug):
        repository = desk.source.registry.repository
        manifest = repository.manifest_at_head
        artifacts = sorted({*repository.states, *(manifest.artifacts if action.name == "register" else ())})
        state = repository.state(name) if name in repository.states else None
        lifecycle = manifest.lifecycle(name)
    held = list(state.holdings) if state is not None else []
    stages = held if action.name in {"unassign", "rollback"} else [*(lifecycle or ()), *held]
    if action.name == "rollback" and state is not None:
        stages = [stage for stage in stages if state.before(stage) is not None]
    versions = [version.name for version in reversed(state.active)] if state is not None else []
    return {
        "name": artifacts[:_OFFERED],
        "version": versions[:_OFFERED] if action.name != "register" else (),
        "stage": list(dict.fromkeys(stages)),
    }


def _look(name: str, branch: str, before: str, registry: Registry) -> Look:
    return Look(_suggested(registry, name), picker.pick(registry.repository, name, branch, before))


def _suggested(registry: Registry, name: str) -> Mapping[str, str]:
    if not names.is_artifact(name):
        return {}
    try:
        registry.repository.focus(name)
        state = registry.repository.state(name)
        return {bump: policy.next_version(state, bump, None).text for bump in BUMPS.values()}
    except RegistryError:
        return {}  # such as the greatest version of a stranger's, from which nothing counts on


def _waiting(desk: Desk, name: str, remote: str | None) -> tuple[Unpublished | None, str]:
    """What is unpublished, and why nothing can be pushed; of what cannot be told, the form says why once it is sent."""
    if desk.is_url:
        return None, "what is written at a URL is published at once"
    if not desk.remotes:
        return None, "there is no remote to push to; in a shell: git remote add origin URL"
    try:
        found = desk.act(lambda registry: registry.unpublished(*([name] if name else []), remote=remote))[0]
    except RegistryError:
        return None, ""
    nothing = found.asked and not found.tags and not name and len(desk.remotes) == 1
    return found, f"all is at {found.remote} already" if nothing else ""
