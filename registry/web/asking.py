"""The forms: what is asked, checked, shown once more before it is done, done once, and told."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from registry.core.manifest import Json
from registry.core.text import safe
from registry.web import acting, checks, forms, hints, links, picker, usage
from registry.web import fields as _f
from registry.web.acting import Preview
from registry.web.actions import Action, action_of
from registry.web.commits import is_id
from registry.web.fields import Field, Said, Wrong
from registry.web.forms import Errors, Form, fields_of
from registry.web.once import Draft, Drafts, Message, Messages, new_id
from registry.web.page import Page, Query
from registry.web.refusal import Refusal
from registry.web.sources import Busy

if TYPE_CHECKING:
    from registry.api import Registry
    from registry.web.sources import Desk, Sources

_PREFILLED = ("name", "version", "stage", "revision", "run", "branch")  # by a link that anybody wrote: no free words
_LINKED = (*_PREFILLED, "commit", "repo", "show")  # what a link may say
_BESIDE = ("repo", "pick", "branch", "before")  # what a form says beside its fields
_LOST = Refusal("this form was forgotten, with what was typed into it", "fill it in again")
_OLD = Refusal("this form is too old", "look at it again, and send it then")
_DONE = Refusal("this was done already", "send the form again to do it once more")
_TWO = Refusal("a commit is picked, and another one is typed", "choose one of the two")
_PATIENCE = 0.3  # seconds for which a look at what is typed waits for who acts: it is asked for again


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

    Each has an address of its own, `?form=ID`, where what was typed stands as it was sent last; with `new`, it may not
    have been sent yet; with `refused`, what is wrong with it stands there, too; with `ask`, it is the question whether
    one is sure. So nothing is lost by going back.
    """

    sources: Sources
    messages: Messages = field(default_factory=Messages)
    drafts: Drafts = field(default_factory=Drafts)

    def get(self, action: Action, query: Query) -> Shown | Led:
        """A form, or the question. Raises NotFound for an unknown repository."""
        draft = self.drafts.of(query.get("form", ""), action.name)
        if draft is None:
            return self._begin(action, query)
        form = Form(action, self.sources.desk(draft.typed.get("repo", "")), query["form"])
        if "old" in query or ("ask" in query and self._has_acted(form, draft)):
            page, _ = forms.form_page(self.sources, form, draft.typed, {"": _OLD if "old" in query else _DONE})
            return Shown(page, 409)
        if "refused" in query:
            return Shown(*forms.form_page(self.sources, form, draft.typed, draft.refused))
        if "ask" in query:
            return self._ask(form, draft.typed, changed="changed" in query)
        return Shown(*forms.form_page(self.sources, form, draft.typed, {}))

    def _begin(self, action: Action, query: Query) -> Shown | Led:
        """A form with what a link says, which is given an address; at that of one that is forgotten, a word of it."""
        desk = self.sources.desk(query.get("repo", ""))
        if "form" not in query:
            linked = {name: query[name][:200] for name in _LINKED if query.get(name)}
            return Led(_address(action, new_id(), "new", **linked))
        typed = _prefilled(action, desk, query)
        if "new" in query:
            return Shown(*forms.form_page(self.sources, Form(action, desk, query["form"]), typed, {}))
        page, _ = forms.form_page(self.sources, Form(action, desk, new_id()), typed, {"": _LOST})
        return Shown(page, 410)

    def _has_acted(self, form: Form, draft: Draft) -> bool:
        said = _said(fields_of(form.action, form.desk), draft.typed)
        return any(deed.startswith(_digest(said)) for deed in draft.acted)

    def _ask(self, form: Form, typed: Said, *, changed: bool) -> Shown | Led:
        """The question whether one is sure, or the way to the form with what is wrong: to go back leads there, too."""
        said = _said(fields_of(form.action, form.desk), typed)
        (errors, shown), notes = form.desk.act(partial(_tried, acting.preview, form, said, typed, self._place(form)))
        if shown is None:
            return self._refused(form, errors)
        shown = replace(shown, notes=_once(shown.notes, notes))
        page = forms.question_page(form, said, shown, change=f"?{urlencode({'form': form.id})}", changed=changed)
        return Shown(page, 409 if changed else 200)

    def post(self, action: Action, sent: Said) -> Led:
        """A form that was sent, or the answer to the question. Raises NotFound for an unknown repository."""
        desk = self.sources.desk(sent.get("repo", ""))
        once = sent.get("once", "")
        draft = self.drafts.of(once, action.name)
        if "sure" in sent and draft is not None:
            return self._sure(Form(action, desk, once), sent)
        if draft is not None and draft.acted:  # somebody went back, and means another one
            once = new_id()
        once = self.drafts.keep(once, action.name, _typed(action, desk, sent))
        step = "old" if "sure" in sent else "" if "show" in sent else "ask"
        return Led(_address(action, once, *([step] if step else [])))

    def _sure(self, form: Form, sent: Said) -> Led:
        said = _f.typed(fields_of(form.action, form.desk), sent)
        done, notes = form.desk.act(partial(self._do, form, said, sent.get("gist", "")))
        if isinstance(done, Done):
            message = self.messages.say(replace(done.message, notes=_once(done.message.notes, notes)))
            return Led(f"{done.address}?said={message}")
        return done

    def _do(self, form: Form, said: Said, gist: str, registry: Registry) -> Done | Led:
        """Act, one form at a time, and do what was shown. Where that cannot be, the form says why; would it do
        something else by now, that is another question."""
        action, desk, sent = form.action, form.desk, form.id
        deed = _digest(said) + gist
        draft = self.drafts.of(sent, action.name)
        if draft is not None and deed in draft.acted:  # a second click, while the first was under way
            return Led(draft.acted[deed])
        if draft is not None and (draft.acted or _said(fields_of(action, desk), draft.typed) != said):
            # The same form in another tab, where something else was typed: from here on it is a form of its own.
            form = replace(form, id=self.drafts.keep("", action.name, {**said, "repo": desk.source.slug}))
        if errors := checks.problems(action, registry, said):
            return self._refused(form, errors)
        try:
            acting.catch_up(action, registry, said)
            shown = acting.preview(action, registry, said, self._place(form))
            if shown.gist != gist or shown.is_empty:
                return Led(_address(action, form.id, "ask", *(["changed"] if shown.gist != gist else [])))
            try:
                written = acting.carry_out(action, registry, said, shown)
            except Wrong:
                registry.refresh()
                if acting.preview(action, registry, said, self._place(form)).gist != gist:  # somebody was faster
                    return Led(_address(action, form.id, "ask", "changed"))
                raise
        except Wrong as wrong:
            return self._refused(form, {wrong.field: wrong.refusal})
        desk.fresh.expire()
        events = written.events
        name = events[0].artifact if events and action.name != "push" else _f.line(said, "name")
        address = "/" + quote(links.model(desk.source.slug, name) if name else "index.html", safe="/@=~+")
        for one in {sent, form.id}:
            self.drafts.done(one, deed, address)
        return Done(address, Message(acting.told(action, events), written.notes))

    def _refused(self, form: Form, errors: Errors) -> Led:
        self.drafts.refuse(form.id, errors)
        return Led(_address(form.action, form.id, "refused"))

    def _place(self, form: Form) -> str | None:
        """What a command must say after --repo."""
        return usage.place(self.sources.dashboard, form.desk.source)

    def check(self, query: Query) -> dict[str, Json]:
        """What is wrong with what is typed so far, what it would do, and, where `commits` are asked for, what each that
        is shown is to the artifact; while somebody acts, that it is `busy`. Raises NotFound."""
        action = action_of(query.get("action", ""))
        desk = self.sources.desk(query.get("repo", ""))
        fields, form = fields_of(action, desk), Form(action, desk, "")
        tried = partial(_tried, acting.attempt, form, _said(fields, query), query, self._place(form))
        try:
            (errors, shown), _ = desk.act(tried, lately=True, patience=_PATIENCE)
            look = forms.look_at(self.sources, desk, query, _PATIENCE) if action.name == "register" else None
        except Busy:
            return {"busy": True}
        answer: dict[str, Json] = {
            "errors": {name: safe(hints.words(error, fields)) for name, error in errors.items()},
            "suggested": dict(look.nexts) if look is not None else {},
            "command": "\n".join(safe(line) for line in shown.command.split("\n")) if shown is not None else "",
        }
        if look is not None and "commits" in query:
            answer["commits"] = {one.id: _row(one) for one in look.picker.commits}
        return answer


def _address(action: Action, form: str, *steps: str, **said: str) -> str:
    return f"/act/{action.name}.html?{urlencode({'form': form, **dict.fromkeys(steps, '1'), **said})}"


def _digest(said: Said) -> str:
    """What was said, in short: a second click says the same."""
    return hashlib.sha256(repr(sorted(said.items())).encode(errors="surrogatepass")).hexdigest()


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


def _tried(
    look: Callable[[Action, Registry, Said, str | None], Preview],
    form: Form,
    said: Said,
    typed: Said,
    place: str | None,
    registry: Registry,
) -> tuple[Errors, Preview | None]:
    """What is wrong, else what would be done, as far as `look` looks."""
    action, branch = form.action, typed.get("branch", "")
    if action.name == "register" and (no_branch := picker.wrong_branch(registry.repository, branch)):
        return {"branch": no_branch}, None
    if typed.get("pick") and (_f.line(typed, "revision") or typed["pick"]) != typed["pick"]:
        return {"revision": _TWO}, None
    if errors := checks.problems(action, registry, said):
        return errors, None
    try:
        return {}, look(action, registry, said, place)
    except Wrong as wrong:
        return {wrong.field: wrong.refusal}, None


def _row(commit: picker.Commit) -> Json:
    return {"declared": safe(commit.declared) if commit.declared else None, "versions": list(commit.versions)}
