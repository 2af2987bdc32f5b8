"""The forms: what is asked, checked, shown once more before it is done, done once, and told."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import quote

from markupsafe import Markup, escape

from registry.core import names, policy
from registry.core.manifest import Json
from registry.errors import NotFound, RegistryError
from registry.web import acting, links, picker
from registry.web import fields as _f
from registry.web.acting import ACTIONS, Action, Outcome, Preview
from registry.web.fields import Field, Said, Wrong
from registry.web.once import Memory
from registry.web.once import Said as Told
from registry.web.page import Page, Query

if TYPE_CHECKING:
    from registry.api import Registry
    from registry.core.version import Bump
    from registry.web.picker import Picker
    from registry.web.sources import Desk, Sources

Errors: TypeAlias = Mapping[str, RegistryError]  # by field; "" stands for the whole form

_PREFILLED = ("name", "version", "stage", "revision", "run")  # by a link, which anybody can write: no free words
_id = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_OFFERED = 1000  # suggestions of one field
_BUMPS: tuple[Bump, ...] = ("patch", "minor", "major")


@dataclass(frozen=True, slots=True)
class Asked:
    """A field with what was typed, as it is: `value` is escaped and nothing else. `offered` are suggestions."""

    field: Field
    value: Markup
    error: str
    offered: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """What a request for a form is answered with: a page, and its status."""

    page: Page
    status: int = 200


@dataclass(frozen=True, slots=True)
class Led:
    """What a request for a form is answered with: the address to go to."""

    address: str


@dataclass
class Asking:
    """The forms of one server."""

    sources: Sources
    memory: Memory

    def get(self, action: Action, query: Query) -> Shown:
        """The empty form. Raises NotFound for an unknown repository."""
        desk = self.sources.desk(query.get("repo", ""))
        said = {name: query[name][:200] for name in _PREFILLED if query.get(name)}
        if query.get("commit"):
            said["revision"] = query["commit"][:200]
        if action.name == "unassign" and _id.fullmatch(said.get("version", "")):
            del said["version"]  # a commit without a version is what is in the stage
        said = _f.typed(_fields(action, desk), said)
        return Shown(self._form(action, desk, said, {}, query))

    def post(self, action: Action, form: Said) -> Shown | Led:
        """A form that was sent. Raises NotFound for an unknown repository."""
        desk = self.sources.desk(form.get("repo", ""))
        said = _said(_fields(action, desk), form)
        if (address := self.memory.led_to(form.get("once", ""))) is not None:
            return Led(address)
        if "show" in form:  # another page of commits, or back from the question
            return Shown(self._form(action, desk, said, {}, form))
        if not self.memory.knows(form.get("once", "")):
            old = RegistryError("this form is too old", "look at it again, and send it then")
            return Shown(self._form(action, desk, said, {"": old}, form), 409)
        tried, _ = desk.act(partial(self._try, action, desk, said, form))
        match tried:
            case Led():
                return tried
            case Preview():
                return Shown(self._question(action, desk, said, tried, form), 200 if "sure" not in form else 409)
            case _:
                return Shown(self._form(action, desk, said, tried, form), 422)

    def _try(self, action: Action, desk: Desk, said: Said, form: Said, registry: Registry) -> Led | Preview | Errors:
        """One form at a time: what is wrong with it, else what it would do; where one is sure, that it is done."""
        once = form.get("once", "")
        if (address := self.memory.led_to(once)) is not None:  # a second click, while the first was under way
            return Led(address)
        found = acting.problems(action, registry, said)
        if found:
            return found
        try:
            shown = acting.preview(action, registry, said, desk.shown)
            if not form.get("sure") or not _same(shown, form):
                return shown
            events, notes = acting.carry_out(action, registry, said)
        except Wrong as wrong:
            return {wrong.field: wrong.error}
        desk.fresh.expire()
        return self._led(action, desk, said, once, (events, notes))

    def _led(self, action: Action, desk: Desk, said: Said, once: str, outcome: Outcome) -> Led:
        name = outcome[0][0].artifact if outcome[0] and action.name != "push" else _f.line(said, "name")
        address = "/" + quote(links.model(desk.source.slug, name) if name else "index.html", safe="/@=~+")
        self.memory.done(once, address)
        message = self.memory.say(Told(acting.told(action, outcome[0]), outcome[1]))
        return Led(f"{address}?said={message}")

    def check(self, query: Query) -> dict[str, Json]:
        """What is wrong with what is typed so far, and what it would do. Raises NotFound."""
        action = action_of(query.get("action", ""))
        desk = self.sources.desk(query.get("repo", ""))
        said = _said(_fields(action, desk), query)
        (errors, shown, nexts), _ = desk.act(partial(_checked, action, desk, said), lately=True)
        return {
            "errors": {name: _words(error) for name, error in errors.items()},
            "next": _next(action, shown),
            "suggested": dict(nexts),
            "command": shown.command if shown is not None else "",
            "tags": [*([event.tag for event in shown.events] if shown is not None else [])],
        }

    # -- pages -----------------------------------------------------------------------------------------------------

    def _form(self, action: Action, desk: Desk, said: Said, errors: Errors, form: Query) -> Page:
        name = said.get("name", "").strip()
        offered = self._offered(action, desk, name)
        nexts: Mapping[str, str] = {}
        picked: Picker | None = None
        if action.name == "register":
            branch, before = form.get("branch", ""), form.get("show", "")
            look = partial(_look, name, branch, before)
            (nexts, picked), _ = desk.act(look, lately=True)
        on_page = {commit.id for commit in picked.commits} if picked is not None else set()
        pick = form.get("pick", "") if form.get("pick", "") in on_page else ""
        asked = [
            Asked(
                field,
                Markup("") if field.name == "revision" and pick else escape(said.get(field.name, "")),
                _words(errors[field.name]) if field.name in errors else "",
                offered.get(field.name, ()),
            )
            for field in _fields(action, desk)
        ]
        context = {
            **self._shared(action, desk, name),
            "asked": [one for one in asked if not one.field.more],
            "more": [one for one in asked if one.field.more],
            "open": any(one.value or one.error for one in asked if one.field.more),
            "problem": _words(errors[""]) if "" in errors else "",
            "picker": picked,
            "pick": pick,
            "nexts": nexts,
            "pending": self._pending(desk, name) if action.name == "push" else (),
        }
        return Page(f"act/{action.name}.html", action.title, "act/form.html", context)

    def _question(self, action: Action, desk: Desk, said: Said, shown: Preview, form: Said) -> Page:
        context = {
            **self._shared(action, desk, said.get("name", "").strip()),
            "said": {name: escape(value) for name, value in said.items()},
            "shown": shown,
            "gist": _digest(shown),
            "changed": "sure" in form,
            "publishes": desk.is_url or action.name == "push" or _f.ticked(said, "push"),
        }
        return Page(f"act/{action.name}.html", f"{action.title}?", "act/sure.html", context)

    def _shared(self, action: Action, desk: Desk, name: str) -> dict[str, object]:
        known = names.is_artifact(name)
        back = links.model(desk.source.slug, name) if known else "index.html"
        return {"action": action, "source": desk.source, "once": self.memory.form(), "back": back, "name": name}

    def _offered(self, action: Action, desk: Desk, name: str) -> dict[str, Sequence[str]]:
        """What can be chosen, by field."""
        with self.sources.reading():
            repository = desk.source.registry.repository
            manifest = repository.manifest_at_head
            artifacts = sorted({*repository.states, *(manifest.artifacts if action.name == "register" else ())})
            state = repository.state(name) if name in repository.states else None
            lifecycle = manifest.lifecycle(name)
            held = list(state.holdings) if state is not None else []
            stages = held if action.name in {"unassign", "rollback"} else [*(lifecycle or ()), *held]
            versions = [version.name for version in reversed(state.active)] if state is not None else []
        return {
            "name": artifacts[:_OFFERED],
            "version": versions[:_OFFERED] if action.name != "register" else (),
            "stage": list(dict.fromkeys(stages)),
        }

    def _pending(self, desk: Desk, name: str) -> Sequence[str]:
        """What is unpublished; of what cannot be told, the form says why once it is sent."""
        try:
            found, _ = desk.act(lambda registry: acting.unpublished(registry, name or None))
        except RegistryError:
            return ()
        return found


def action_of(name: str) -> Action:
    """The action of that name. Raises NotFound."""
    if name not in ACTIONS:
        raise NotFound("there is no such page", f"there is {', '.join(ACTIONS)}")
    return ACTIONS[name]


def _fields(action: Action, desk: Desk) -> list[Field]:
    """The fields of an action: a box for publishing is there where that can be done."""
    return [field for field in action.fields if field.name != "push" or desk.can_publish]


def _said(fields: Sequence[Field], form: Said) -> dict[str, str]:
    """What was typed; a commit that was picked stands for a revision."""
    said = _f.typed(fields, form)
    if form.get("pick") and any(field.kind == "commit" for field in fields):
        said["revision"] = form["pick"]
    return said


def _look(name: str, branch: str, before: str, registry: Registry) -> tuple[Mapping[str, str], Picker]:
    return _suggested(registry, name), picker.pick(registry.repository, name, branch, before)


def _suggested(registry: Registry, name: str) -> Mapping[str, str]:
    """The next version, by each way of counting on."""
    if not names.is_artifact(name):
        return {}
    try:
        registry.repository.focus(name)
        state = registry.repository.state(name)
        return {bump: policy.next_version(state, bump, None).text for bump in _BUMPS}
    except RegistryError:
        return {}  # such as the greatest version of a stranger's, from which nothing counts on


def _checked(
    action: Action, desk: Desk, said: Said, registry: Registry
) -> tuple[Errors, Preview | None, Mapping[str, str]]:
    nexts = _suggested(registry, said.get("name", "").strip()) if action.name == "register" else {}
    errors = acting.problems(action, registry, said)
    if errors:
        return errors, None, nexts
    try:
        return {}, acting.preview(action, registry, said, desk.shown), nexts
    except Wrong as wrong:
        return {wrong.field: wrong.error}, None, nexts


def _next(action: Action, shown: Preview | None) -> str | None:
    return shown.events[0].version if action.name == "register" and shown is not None and shown.events else None


def _digest(shown: Preview) -> str:
    return hashlib.sha256(shown.gist.encode(errors="surrogatepass")).hexdigest()


def _same(shown: Preview, form: Said) -> bool:
    """Whether what would be done is what the person was shown."""
    return form.get("gist", "") == _digest(shown)


def _words(error: RegistryError) -> str:
    return f"{error.message}; {error.hint}" if error.hint else error.message
