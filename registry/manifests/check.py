"""All that is wrong with the manifests of a work tree or of a commit, at once (DESIGN part 4).

`registry.yaml` is held to its shape; of `dvc.yaml` and GTO's files, which belong to other tools, only what we take from
them is looked at. What the shape can say is said in `shape`; here stand the rules that tie one place to another.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from registry.core import names, urls
from registry.core.manifest import Manifest
from registry.manifests.conform import Fault, Severity, did_you_mean, faults, quoted
from registry.manifests.documents import DocumentError, Items, Node, Scalar, Table
from registry.manifests.files import Files
from registry.manifests.read import DVC, GTO, OURS, is_template, is_url, located, manifest, parsed, path_problem
from registry.manifests.shape import MANIFEST, NAME, ROOT_ONLY, VERSION
from registry.manifests.worktree import WorkTree

Registered = Callable[[str], Collection[str]]


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One problem. `line` and `column` count from 1; `hint` says what to do, or is empty."""

    path: str
    line: int
    column: int
    severity: Severity
    message: str
    hint: str = ""


def check(root: Path, files: Mapping[str, bytes], registered: Registered | None = None) -> list[Problem]:
    """All problems of the manifests among `files` (by path from `root`), in the order of path and line. Never raises.

    `root` is the work tree, where the files that the manifests name are looked for. `registered` gives the versions of
    an artifact; without it nobody asks whether what `assign:` names exists.
    """
    return checked(WorkTree(root, files), files, registered).problems


@dataclass(frozen=True, slots=True)
class Checked:
    """All problems, and the manifests as nodes, by path, which know where they say what."""

    problems: list[Problem]
    nodes: Mapping[str, Node]


def checked(tree: Files, files: Mapping[str, bytes], registered: Registered | None = None) -> Checked:
    """`check`, where the files that the manifests name are looked for in `tree`."""
    duplicates: dict[str, list[DocumentError]] = {}
    nodes, broken = parsed(files, duplicates)
    context = _Context(manifest(nodes, broken), _teams(nodes.get(OURS)), OURS in broken, tree, registered)
    errors = [*broken.items(), *((path, error) for path, found in duplicates.items() for error in found)]
    problems = {Problem(path, e.line, e.column, "error", e.reason, e.hint) for path, e in errors}
    if tree.has("registry.yml"):
        hint = f"rename it to {OURS}" if not tree.has(OURS) else f"move what it says to {OURS}"
        problems.add(Problem("registry.yml", 1, 1, "warning", "registry.yml is not read", hint))
    entries = [entry for path, node in nodes.items() for entry in _entries(path, node)]
    for path, node in nodes.items():
        problems.update(_problem(path, fault) for fault in _file_faults(path, node, context))
    problems.update(_name_problems(entries))
    for entry in entries:
        problems.update(_problem(entry.source, fault) for fault in _entry_faults(entry, context))
    return Checked(sorted(problems), nodes)


def _problem(path: str, fault: Fault) -> Problem:
    # One line, whatever somebody has put into a key.
    message, hint = ("".join(c if c.isprintable() else "?" for c in text) for text in (fault.message, fault.hint))
    return Problem(path, fault.node.line, fault.node.column, fault.severity, message, hint)


@dataclass(frozen=True, slots=True)
class _Context:
    """What a rule about one place needs to know of the others."""

    manifest: Manifest
    teams: Collection[str]
    root_broken: bool  # nobody knows the general stages and teams
    tree: Files
    registered: Registered | None


@dataclass(frozen=True, slots=True)
class _Entry:
    """One artifact where a file declares it; `fields` is None where it is not a mapping."""

    source: str
    section: str
    key: Scalar
    fields: Table | None

    @property
    def name(self) -> str:
        return names.qualified(posixpath.dirname(self.source), self.key.text)

    def get(self, key: str) -> Node | None:
        return _get(self.fields, key)


def _get(node: Node | None, key: str) -> Node | None:
    return node.values.get(key) if isinstance(node, Table) else None


def _items(node: Node | None) -> Iterator[tuple[Scalar, Node]]:
    if isinstance(node, Table):
        yield from ((node.keys[key], value) for key, value in node.values.items())


def _texts(node: Node | None) -> Iterator[Scalar]:
    """The texts of a value that is one text or a list of them."""
    for item in node.items if isinstance(node, Items) else [node]:
        if isinstance(item, Scalar) and isinstance(item.value, str):
            yield item


def _teams(root: Node | None) -> Collection[str]:
    return [key.text for key, _ in _items(_get(root, "teams"))]


def _entries(path: str, node: Node) -> Iterator[_Entry]:
    """What one file declares, in the order of precedence."""
    sections: dict[str, Node | None] = {}
    match posixpath.basename(path):
        case "registry.yaml":
            sections = {"models": _get(node, "models"), "artifacts": _get(node, "artifacts")}
        case "dvc.yaml":
            sections = {"artifacts": _get(node, "artifacts")}
        case "artifacts.yaml":
            sections = {"": node}
    for section, entries in sections.items():
        for key, value in _items(entries):
            yield _Entry(path, section, key, value if isinstance(value, Table) else None)


# -- one file ------------------------------------------------------------------------------------------------------


def _file_faults(path: str, node: Node, context: _Context) -> Iterator[Fault]:
    directory, name = posixpath.split(path)
    if name == OURS:
        yield from faults(MANIFEST, node, "the manifest")
        if directory == "":
            yield from _lifecycle_faults(_get(node, "stages"), context)
        else:
            yield from _root_only_faults(node)
    elif name in {DVC, GTO}:
        for entry in _entries(path, node):
            if not NAME.fits(entry.key.text):
                yield Fault(entry.key, f"not a {NAME.noun}: {quoted(entry.key.text)}", NAME.rule)
    if directory and not names.is_artifact(f"{directory}:x") and next(_entries(path, node), None) is not None:
        hint = "a directory's name here is letters, digits, '_', '.' and '-', and does not begin with '.' or '-'"
        yield Fault(node, f"the directory {quoted(directory)} cannot stand in the name of an artifact", hint)


def _root_only_faults(node: Node) -> Iterator[Fault]:
    for key, _ in _items(node):
        if key.text in ROOT_ONLY:
            yield Fault(key, f"`{key.text}` counts in the root's {OURS} only", "move it there", "warning")


def _lifecycle_faults(stages: Node | None, context: _Context) -> Iterator[Fault]:
    """What is wrong among the stages of one `stages:`, the general one or an artifact's own."""
    if not isinstance(stages, Table):
        return
    seen: dict[str, str] = {}
    for stage, rules in _items(stages):
        other = seen.setdefault(stage.text.lower(), stage.text)
        if other != stage.text:
            yield Fault(stage, f"the stages {other} and {stage.text} differ in case only", "rename one of them")
        if names.is_stage(stage.text) and (problem := names.travel_problem(stage.text)):
            yield Fault(stage, f"the stage {stage.text} would not travel: {problem}", "choose another name")
        require = _get(rules, "require")
        for key, named in (("after", _get(rules, "after")), ("no_worse_than", _get(require, "no_worse_than"))):
            yield from _unknown_stage(key, named, stages.values)
        yield from _direction_faults(require)
        yield from _allow_faults(_get(rules, "allow"), context)
        yield from _approval_faults(rules)
    circles = list(_cycle_faults(stages))
    yield from circles or _order_faults(stages)


def _unknown_stage(key: str, named: Node | None, stages: Iterable[str]) -> Iterator[Fault]:
    for text in _texts(named) if isinstance(named, Scalar) else ():
        if names.is_stage(text.text) and text.text not in stages:
            hint = did_you_mean(text.text, stages) or "declare it under `stages`"
            yield Fault(text, f"`{key}` names an unknown stage: {text.text}", hint)


def _order_faults(stages: Table) -> Iterator[Fault]:
    order = list(stages.values)
    for place, (stage, rules) in enumerate(_items(stages)):
        after = _get(rules, "after")
        if isinstance(after, Scalar) and after.text in order[place + 1 :]:
            hint = f"move {stage.text} below {after.text}: apply assigns in the order of the stages"
            yield Fault(after, f"{stage.text} comes after {after.text}, and stands before it", hint, "warning")


def _direction_faults(require: Node | None) -> Iterator[Fault]:
    worse = _get(require, "no_worse_than")
    conditions = [value.text for _, value in _items(_get(require, "metrics")) if isinstance(value, Scalar)]
    if isinstance(worse, Scalar) and worse.value is not None and not any(text[:1] in {"<", ">"} for text in conditions):
        hint = 'name a metric under `metrics`, such as auc: ">=0.5": more is better then'
        yield Fault(worse, "`no_worse_than` compares nothing: no metric says which way is better", hint)


def _allow_faults(allow: Node | None, context: _Context) -> Iterator[Fault]:
    for principal in _texts(allow):
        team = principal.text.removeprefix("@")
        local = principal.text.startswith("@") and "/" not in team
        if local and team not in context.teams and not context.root_broken:
            hint = did_you_mean(f"@{team}", [f"@{other}" for other in context.teams])
            yield Fault(principal, f"no team is called {quoted(team)}", hint or f"declare it under `teams` in {OURS}")


def _approval_faults(rules: Node | None) -> Iterator[Fault]:
    approvals, signed = _get(rules, "approvals"), _get(rules, "signed")
    wanted = isinstance(approvals, Scalar) and type(approvals.value) is int and approvals.value > 0
    if wanted and approvals is not None and not (isinstance(signed, Scalar) and signed.value is True):
        hint = "add `signed: true`: else who assigns is a claim, and whoever has approved may claim to be another"
        yield Fault(approvals, "`approvals` without `signed`", hint, "warning")


def _cycle_faults(stages: Table) -> Iterator[Fault]:
    """One fault a circle of `after:`, at the first of its stages."""
    before = {
        key: after.text for key, value in stages.values.items() if isinstance(after := _get(value, "after"), Scalar)
    }
    done: set[str] = set()
    for start in stages.values:
        way: dict[str, None] = {}
        stage: str | None = start
        while stage is not None and stage not in done and stage not in way:
            way[stage] = None
            stage = before.get(stage)
        if stage is not None and stage in way:
            circle = [*list(way)[list(way).index(stage) :], stage]
            hint = "remove one `after`: no version could get into these stages"
            yield Fault(stages.keys[circle[0]], f"`after` goes in a circle: {' after '.join(circle)}", hint)
        done.update(way)


# -- names ---------------------------------------------------------------------------------------------------------


def _name_problems(entries: Iterable[_Entry]) -> Iterator[Problem]:
    """Names that are declared twice, differ in case only, or would not travel."""
    seen: dict[str, _Entry] = {}
    for entry in entries:
        if not names.is_artifact(entry.name):
            continue  # said where the name's form is judged
        first = seen.setdefault(entry.name.lower(), entry)
        if first is entry:
            problem = names.travel_problem(f"{names.in_tag(entry.name)}@v0.0.1")
            if problem is not None:
                message = f"{entry.name} would not travel: {problem}"
                yield _problem(entry.source, Fault(entry.key, message, "choose another name"))
        elif first.name != entry.name:
            message = f"{first.name} ({first.source}:{first.key.line}) and {entry.name} differ in case only"
            yield _problem(entry.source, Fault(entry.key, message, "rename one of them"))
        else:
            there = f"`{first.section}`" if first.source == entry.source else first.source
            message = f"{entry.name} is declared in {there} too, which wins"
            hint = f"remove it here or there (line {first.key.line})"
            yield _problem(entry.source, Fault(entry.key, message, hint, "warning"))


# -- one artifact --------------------------------------------------------------------------------------------------


def _entry_faults(entry: _Entry, context: _Context) -> Iterator[Fault]:
    if posixpath.basename(entry.source) == OURS:
        yield from _lifecycle_faults(entry.get("stages"), context)
        yield from _assign_faults(entry, context)
        yield from _file_paths_faults(entry, context.tree)
    for path in _texts(entry.get("path")):
        if is_template(entry.source, path.text):
            hint = f"say the path itself, in {OURS} perhaps, which wins: without it a version has no files"
            yield Fault(path, f"{quoted(path.text)} is a template, which DVC fills in", hint, "warning")
        else:
            yield from _path_faults("path", path, entry, context.tree)
            yield from _template_faults(path, entry, context.tree)


def _assign_faults(entry: _Entry, context: _Context) -> Iterator[Fault]:
    own = [key.text for key, _ in _items(entry.get("stages"))]
    lifecycle: Collection[str] | None = own or context.manifest.stages
    version = entry.get("version")
    seen: dict[str, str] = {}
    for stage, value in _items(entry.get("assign")):
        other = seen.setdefault(stage.text.lower(), stage.text)
        if other != stage.text:
            yield Fault(stage, f"the stages {other} and {stage.text} differ in case only", "take one of them out")
        if names.is_stage(stage.text) and lifecycle and stage.text not in lifecycle:
            hint = did_you_mean(stage.text, lifecycle) or f"the stages are {', '.join(lifecycle)}"
            yield Fault(stage, f"no stage is called {stage.text}", hint)
        wanted = value.text if isinstance(value, Scalar) and value.value is not None else ""
        declared = isinstance(version, Scalar) and version.text == wanted
        if context.registered is None or declared or not VERSION.fits(wanted) or not names.is_artifact(entry.name):
            continue
        versions = context.registered(entry.name)
        if wanted not in versions:
            message = f"{entry.name} {wanted} is neither registered nor its `version`"
            yield Fault(value, message, did_you_mean(wanted, versions) or "register it first, or set `version` to it")


def _file_paths_faults(entry: _Entry, tree: Files) -> Iterator[Fault]:
    for key in ("card", "metrics", "params"):
        for path in _texts(entry.get(key)):
            yield from _path_faults(key, path, entry, tree)
    for _, value in _items(entry.get("artifacts")):
        for path in _texts(value) if isinstance(value, Scalar) else ():
            yield from _path_faults("artifacts", path, entry, tree)


def _path_faults(key: str, node: Scalar, entry: _Entry, tree: Files) -> Iterator[Fault]:
    """What is wrong with the path `node`, the value of `key`."""
    directory = posixpath.dirname(entry.source)
    problem = path_problem(directory, node.text)
    if problem is not None:
        hint = "a path is relative to its manifest's directory, and stays inside the repository"
        yield Fault(node, f"{quoted(node.text)} {problem}", hint)
        return
    path = located(directory, node.text)
    if path is None or is_url(node.text):
        if (unfit := urls.problem(node.text, quoted(node.text))) is not None:
            yield Fault(node, *unfit, "warning")  # as a mere address it may be of use
        return
    led = tree.led(path)
    plain = led == path and tree.has(path)
    if not plain and tree.is_output(path):
        return  # DVC links into its cache, which may lie anywhere
    if led is None:
        message = f"{quoted(node.text)} leads out of the repository through a link"
        yield Fault(node, message, "put the file itself there")
    elif not tree.has(path):
        if key not in _CARRIED or not tree.holds_output(path):
            yield _missing(key, node, path, directory, tree)
    elif led != path and ".git" not in led.split("/"):  # where git-annex has its objects
        yield _link(key, node, posixpath.relpath(led, directory or ".") if tree.has(led) else None)
    elif key in _READ and tree.is_directory(path):
        yield Fault(node, f"{quoted(node.text)} is a directory", f"`{key}` takes a file")
    elif key in _CARRIED and path.endswith(".dvc") and (outputs := tree.outputs_of(path)):
        made = posixpath.relpath(outputs[0], directory or ".")
        yield Fault(node, f"{quoted(node.text)} only describes {quoted(made)}", f"name {made} instead", "warning")


def _template_faults(node: Scalar, entry: _Entry, tree: Files) -> Iterator[Fault]:
    """Metrics and parameters that DVC names for the path `node`, and that nobody can find."""
    path = located(posixpath.dirname(entry.source), node.text)
    if path is None or is_url(node.text):
        return
    for template in tree.unfilled(path):
        hint = "commit dvc.lock, or name the file under `metrics` or `params`"
        why = f"DVC names {quoted(template)} for it, and no dvc.lock says which file that is"
        yield Fault(node, why, hint, "warning")


_CARRIED = ("path", "artifacts")
_READ = ("card", "metrics", "params")


def _link(key: str, node: Scalar, target: str | None) -> Fault:
    """What to say of a link inside the repository: Git keeps where it leads, and nothing of what is there."""
    why = "a version carries files" if key in _CARRIED else "what it leads to is not read"
    severity: Severity = "error" if key in _CARRIED else "warning"
    hint = "put the file itself there" if target is None else f"name {target} instead"
    return Fault(node, f"{quoted(node.text)} is a link, and {why}", hint, severity)


def _missing(key: str, node: Scalar, path: str, directory: str, tree: Files) -> Fault:
    guess = tree.guess(path)
    hint = "add it, or correct the path"
    if guess is not None:
        hint = f"did you mean {posixpath.relpath(guess, directory or '.')}?"
    # Metrics and parameters are written by training, which may not have run here yet.
    severity: Severity = "warning" if key in {"metrics", "params"} else "error"
    return Fault(node, f"{quoted(node.text)} is not there", hint, severity)
