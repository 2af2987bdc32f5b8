"""A pull request: what is wrong with its manifests, on the right lines, and what it would do."""

from __future__ import annotations

import posixpath
import re

from registry import markdown
from registry.action.annotations import Annotation, annotate_all
from registry.action.checkout import repair
from registry.action.comment import comment
from registry.action.gh import GhFailed
from registry.action.runner import Runner
from registry.action.say import Place, Voice
from registry.api import Registry
from registry.errors import NotFound, UsageError
from registry.manifests.check import Problem

_commit = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_merge = re.compile(r"refs/pull/[1-9][0-9]*/merge")


def review(registry: Registry, runner: Runner, voice: Voice) -> int:
    """Review the change that the run is about; 1 where it must not be merged as it is."""
    base, head = _ends(registry, runner)
    repair(registry, voice, base=base)
    try:
        registry.repository.commit(head)
    except NotFound:  # on pull_request_target, which checks out the base
        repair(registry, voice, base=head)
    found = registry.review(base, head)
    annotations = [Annotation(one.severity, one.message, one.hint, _place(runner, one)) for one in found.problems]
    annotate_all(voice, annotations, "registry review --json")
    said = markdown.review(found)
    voice.summary(said)
    for note in found.notes:
        voice.log(f"note: {note}")
    if runner.inputs.comment:
        try:
            comment(runner, said)
        except GhFailed as error:
            voice.annotate("warning", f"there is no comment: {error.message}", title="git-registry")
    voice.log("the review found errors" if found.failed else "the review found no errors")
    return 1 if found.failed else 0


def _place(runner: Runner, problem: Problem) -> Place:
    path = posixpath.join(runner.inputs.repository_path, problem.path)  # as the workspace has it
    return Place(posixpath.normpath(path), problem.line, problem.column)


def _ends(registry: Registry, runner: Runner) -> tuple[str, str]:
    """The commit that the change goes to, and the one that it is. Raises UsageError where nobody says."""
    change = runner.said("merge_group", "head_sha") or runner.said("pull_request", "head", "sha")
    if _merge.fullmatch(runner.ref):
        # What was checked out is the change, merged already: compared with its first parent it shows nothing else.
        head = registry.repository.commit("HEAD")
        parents = registry.repository.parents(head)
        if len(parents) == 2 and change in {None, parents[1]}:  # and no merge that the change itself has made
            return parents[0], head
    base = runner.said("merge_group", "base_sha") or runner.said("pull_request", "base", "sha")
    if isinstance(base, str) and isinstance(change, str) and _commit.fullmatch(base) and _commit.fullmatch(change):
        return base, change
    raise UsageError("the event does not say what to review", "run it on pull_request or merge_group")
