"""The forms: what is asked, checked, shown once more before it is done, done once, and told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from registry.core.manifest import Json
from registry.core.text import safe
from registry.errors import RegistryError
from registry.web import acting, checks, forms, hints, links, picker
from registry.web import fields as _f
from registry.web.acting import Preview
from registry.web.actions import Action, action_of
from registry.web.commits import is_id
from registry.web.fields import Field, Said, Wrong
from registry.web.forms import Errors, Form, fields_of
from registry.web.once import Memory, Message
from registry.web.page import Page, Query

if TYPE_CHECKING:
    from registry.api import Registry
    from registry.web.sources import Desk, Sources

_PREFILLED = ("name", "version", "stage", "revision", "run", "branch")  # by a link that anybody wrote: no free words
_BESIDE = ("repo", "pick", "branch", "before")  # what a form says beside its fields
_OLD = RegistryError("this form is too old", "look at it again, and send it then")
_DONE = RegistryError("this was done already", "send the form again to do it once more")


@dataclass(frozen=True, slots=True)
class Shown:
    """What a request for a form is answered with: a page, and its status."""

    page: Page
    status: int = 200


@dataclass(frozen=True, slots=True)
class Led:
    """What a request for a form is answered with: the address to go to."""

    address: str


@dataclass(frozen=True, slots=True)
class Done:
    """A form that has acted: where it leads, and what is told there."""

    address: str
    message: Message


@dataclass
class Asking:
    """The forms of one server.

    Each has an address of its own, `?form=ID`, where what was typed stands as it was sent last; with `refused`, what is
    wrong with it, too; with `ask`, it is the question whether one is sure. So nothing is lost by going back.
    """

    sources: Sources
    memory: Memory

    def get(self, action: Action, query: Query) -> Shown | Led:
        """A form, or the question. Raises NotFound for an unknown repository."""
        draft = self.memory.draft(query.get("form", ""))
        if draft is None:
            desk = self.sources.desk(query.get("repo", ""))
            return Led(_address(action, self.memory.begin(_prefilled(action, desk, query))))
        desk = self.sources.desk(draft.typed.get("repo", ""))
        form = Form(action, desk, query["form"])
        if "old" in query or ("ask" in query and draft.led_to is not None):
            page, _ = forms.form_page(self.sources, form, draft.typed, {"": _OLD if "old" in query else _DONE})
            return Shown(page, 409)
        if "refused" in query:
            return Shown(*forms.form_page(self.sources, form, draft.typed, draft.refused))
        if "ask" in query:
            return self._ask(form, draft.typed, changed="changed" in query)
        return Shown(*forms.form_page(self.sources, form, draft.typed, {}))

    def _ask(self, form: Form, typed: Said, *, changed: bool) -> Shown | Led:
        """The question whether one is sure, or the way to the form with what is wrong: to go back leads there, too."""
        said = _said(fields_of(form.action, form.desk), typed)
        (errors, shown), notes = form.desk.act(partial(_tried, form, said, typed))
        if shown is None:
            return self._refused(form, errors)
        shown = replace(shown, notes=_once(shown.notes, notes))
        page = forms.question_page(form, said, shown, change=_address(form.action, form.id), changed=changed)
        return Shown(page, 409 if changed else 200)

    def post(self, action: Action, sent: Said) -> Led:
        """A form that was sent, or the answer to the question. Raises NotFound for an unknown repository."""
        desk = self.sources.desk(sent.get("repo", ""))
        once = sent.get("once", "")
        draft = self.memory.draft(once)
        if "sure" in sent and draft is not None:
            return self._sure(Form(action, desk, once), sent)
        typed = _typed(action, desk, sent)
        if draft is None:
            return Led(_address(action, self.memory.begin(typed), "old"))
        if draft.led_to is not None:  # somebody went back, and means another one
            once = self.memory.begin(typed)
        self.memory.keep(once, typed)
        return Led(_address(action, once, *(() if "show" in sent else ("ask",))))

    def _sure(self, form: Form, sent: Said) -> Led:
        said = _f.typed(fields_of(form.action, form.desk), sent)
        done, notes = form.desk.act(partial(self._do, form, said, sent.get("gist", "")))
        if isinstance(done, Done):
            message = self.memory.say(replace(done.message, notes=_once(done.message.notes, notes)))
            return Led(f"{done.address}?said={message}")
        return done

    def _do(self, form: Form, said: Said, gist: str, registry: Registry) -> Done | Led:
        """Act, one form at a time. Where that cannot be, the form says why; would it do something else by now, that is
        another question."""
        draft = self.memory.draft(form.id)
        if draft is not None and draft.led_to is not None:  # a second click, while the first was under way
            return Led(draft.led_to)
        action, desk = form.action, form.desk
        if errors := checks.problems(action, registry, said):
            return self._refused(form, errors)
        try:
            if acting.preview(action, registry, said, desk.shown).gist != gist:
                return Led(_address(action, form.id, "ask", "changed"))
            written = acting.carry_out(action, registry, said)
        except Wrong as wrong:
            return self._refused(form, {wrong.field: wrong.error})
        desk.fresh.expire()
        events = written.events
        name = events[0].artifact if events and action.name != "push" else _f.line(said, "name")
        address = "/" + quote(links.model(desk.source.slug, name) if name else "index.html", safe="/@=~+")
        self.memory.done(form.id, address)
        return Done(address, Message(acting.told(action, events), written.notes))

    def _refused(self, form: Form, errors: Errors) -> Led:
        self.memory.refuse(form.id, errors)
        return Led(_address(form.action, form.id, "refused"))

    def check(self, query: Query) -> dict[str, Json]:
        """What is wrong with what is typed so far, what it would do, and, where `commits` are asked for, what each that
        is shown is to the artifact. Raises NotFound."""
        action = action_of(query.get("action", ""))
        desk = self.sources.desk(query.get("repo", ""))
        fields = fields_of(action, desk)
        tried = partial(_tried, Form(action, desk, ""), _said(fields, query), query)
        (errors, shown), _ = desk.act(tried, lately=True)
        look = forms.look_at(self.sources, desk, query) if action.name == "register" else None
        answer: dict[str, Json] = {
            "errors": {name: safe(hints.words(error, fields)) for name, error in errors.items()},
            "suggested": dict(look.nexts) if look is not None else {},
            "command": "\n".join(safe(line) for line in shown.command.split("\n")) if shown is not None else "",
        }
        if look is not None and "commits" in query:
            answer["commits"] = {one.id: _row(one) for one in look.picker.commits}
        return answer


def _address(action: Action, form: str, *steps: str) -> str:
    return f"/act/{action.name}.html?{urlencode({'form': form, **dict.fromkeys(steps, '1')})}"


def _prefilled(action: Action, desk: Desk, query: Query) -> dict[str, str]:
    """What a link says."""
    said = {name: query[name][:200] for name in _PREFILLED if query.get(name)}
    if query.get("commit"):
        said["revision"] = query["commit"][:200]
    if action.name == "unassign" and is_id(said.get("version", "")):
        del said["version"]  # a commit without a version is what is in the stage
    return _typed(action, desk, {**said, "repo": desk.source.slug, "show": query.get("show", "")[:200]})


def _typed(action: Action, desk: Desk, sent: Said) -> dict[str, str]:
    """What a form said, to be shown again; the button that shows commits says before which one."""
    beside = {name: sent[name] for name in _BESIDE if sent.get(name)}
    if "show" in sent:
        beside["before"] = sent["show"]
    return {**_f.typed(fields_of(action, desk), sent), **beside}


def _said(fields: Sequence[Field], typed: Said) -> dict[str, str]:
    """What was meant: a commit that was picked stands for a revision, else, where none was typed, the branch."""
    said = _f.typed(fields, typed)
    if any(field.kind == "commit" for field in fields):
        if typed.get("pick"):
            said["revision"] = typed["pick"]
        elif typed.get("branch") and _f.line(said, "revision") is None:
            said["revision"] = f"refs/heads/{typed['branch']}"
    return said


def _once(*notes: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(note for some in notes for note in some))


def _tried(form: Form, said: Said, typed: Said, registry: Registry) -> tuple[Errors, Preview | None]:
    """What is wrong, else what would be done."""
    action, branch = form.action, typed.get("branch", "")
    if action.name == "register" and (no_branch := picker.wrong_branch(registry.repository, branch)):
        return {"branch": no_branch}, None
    if errors := checks.problems(action, registry, said):
        return errors, None
    try:
        return {}, acting.preview(action, registry, said, form.desk.shown)
    except Wrong as wrong:
        return {wrong.field: wrong.error}, None


def _row(commit: picker.Commit) -> Json:
    return {"declared": safe(commit.declared) if commit.declared else None, "versions": list(commit.versions)}
