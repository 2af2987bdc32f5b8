"""`review BASE [HEAD]`: what a change of the manifests means, from Git's objects alone (DESIGN part 5)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property

from registry.core import review as rules
from registry.core import signers
from registry.core import trusting as trust
from registry.core.desired import wishes
from registry.core.manifest import Declaration, Json, Manifest
from registry.core.review import ManifestChange
from registry.core.trusting import TrustChange, TrustFiles
from registry.errors import Refused
from registry.manifests import check, committed, read, trusting
from registry.manifests.check import Problem, Registered
from registry.manifests.committed import CommitTree
from registry.manifests.documents import Node
from registry.manifests.places import places
from registry.plumbing import changes, history, tags
from registry.porcelain import bounds
from registry.porcelain.beginning import beginnings
from registry.porcelain.gitops import Obstacle, Plan
from registry.porcelain.plan import planned
from registry.repository import MANIFEST_LIMIT, Repository


@dataclass(frozen=True, slots=True)
class Review:
    """What changes from the commit `base` to the commit `head`.

    `problems` are those of the manifests and of `.registry/` at `head`, whoever made them, with what keeps the plan
    from being carried out; `plan` is what `apply` would do there. `trust` is what changes of whom and what is trusted.
    """

    base: str
    head: str
    problems: tuple[Problem, ...]
    changes: tuple[ManifestChange, ...]
    plan: Plan
    notes: tuple[str, ...] = ()
    trust: tuple[TrustChange, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether this should not be merged: something is an error, or the plan could not be carried out."""
        return bool(self.plan.obstacles) or any(problem.severity == "error" for problem in self.problems)

    def to_json(self) -> dict[str, Json]:
        """The shape of `review --json`."""
        return {
            "base": self.base,
            "head": self.head,
            "failed": self.failed,
            "problems": [asdict(problem) for problem in self.problems],
            "changes": [change.to_json() for change in self.changes],
            "plan": self.plan.to_json(),
            "notes": list(self.notes),
            "trust": [change.to_json() for change in self.trust],
        }


def review(repository: Repository, base: str, head: str = "HEAD") -> Review:
    """What changes at `head` since it left `base`. Raises NotFound for a revision that there is not."""
    repository.about()
    there, here = repository.commit(base), repository.commit(head)
    since, notes = _since(repository, there, here, (base, head))
    before, after = _Committed(repository, since), _Committed(repository, here)
    old, new = repository.manifest_of(since), repository.manifest_of(here)
    checked = check.checked(after.tree, after.files, _registered(repository, new))
    found = rules.changes(old, new)
    plan = planned(repository, new, here, since)
    problems = {*checked.problems, *_unread(new, after.files)}
    problems.update(trusting.problems(after.linked(), after.openpgp, checked.nodes))
    problems.update(_other_bytes(repository, after, old, new, checked.nodes))
    problems.update(_obstacles(plan.obstacles, new, checked.nodes, problems.copy()))
    problems.update(_warning(checked.nodes, one) for one in rules.not_raised(old, new, _changed(before, after, new)))
    notes += rules.notes(old, new, found, _held(repository, found))
    trusted = _trusted(repository, before.trust, after.trust)
    return Review(since, here, tuple(sorted(problems)), tuple(found), plan, tuple(notes), tuple(trusted))


def _trusted(repository: Repository, before: TrustFiles, after: TrustFiles) -> list[TrustChange]:
    there = tags.tag_ids(repository.git, [tags.PREFIX]) if before.baseline != after.baseline else {}
    return trust.changes(before, after, there)


def _registered(repository: Repository, manifest: Manifest) -> Registered:
    states = repository.states_of([name for name, one in manifest.artifacts.items() if one.assign])

    def versions(artifact: str) -> list[str]:
        # One that is not among them stands in a manifest that only `check` reads so far.
        state = states.get(artifact) or repository.states.get(artifact)
        return [version.name for version in state.active] if state is not None else []

    return versions


def _held(repository: Repository, found: Iterable[ManifestChange]) -> dict[str, Mapping[str, str]]:
    """What the stages resolve to, of all artifacts that a change may concern."""
    names: set[str] = set()
    for change in found:
        if change.key.partition(".")[0] == "stages":
            names.update(repository.states)
        elif change.artifact is not None and change.kind in {"removed", "renamed"}:
            names.add(change.before if isinstance(change.before, str) else change.artifact)
    states = repository.states_of(sorted(names))
    return {name: state.stages for name, state in states.items() if state.exists}


def _since(repository: Repository, base: str, head: str, said: tuple[str, str]) -> tuple[str, list[str]]:
    """The commit to compare with, and what a person should know of it."""
    common = changes.merge_base(repository.git, base, head)
    if common is None:
        cut = history.is_cut_off(repository.clone.common_dir)
        why = "no commit that they share is in this clone, which is shallow" if cut else "they share no commit"
        return base, [f"{said[1]} is compared with {said[0]} as it is now: {why}"]
    behind = changes.commits_beyond(repository.git, base, head) if common != base else 0
    if not behind:
        return common, []
    count = f"{behind} commit" + ("" if behind == 1 else "s")
    return common, [f"{said[1]} is behind {said[0]} by {count}: what those change is not looked at"]


class _Committed:
    """The files of one commit."""

    def __init__(self, repository: Repository, commit: str) -> None:
        self._repository, self.commit = repository, commit
        self._manifests = bounds.manifests(repository, commit)
        self._entries = committed.listed(changes.tree_of(repository.git, commit))

    @cached_property
    def files(self) -> dict[str, bytes]:
        """The manifests, by path; without those whose bytes are not in this clone."""
        # Those that are too large were not read: what stands for them is too large as well.
        too_large = bytes(MANIFEST_LIMIT + 1)
        return {
            path: too_large if blob.data is None else blob.data
            for path, blob in self._manifests.items()
            if blob.type == "blob"
        }

    @cached_property
    def _trust(self) -> dict[str, bytes | None]:
        """The files of `.registry/` that are there, as `verify` would read them: of a link, what it says."""
        paths = [path for path in trusting.FILES if path in self._entries]
        found = self._repository.blobs_at([(self.commit, path) for path in paths], trusting.LIMIT)
        return {path: trusting.bounded(one.data) for path, one in zip(paths, found, strict=True)}

    def linked(self) -> dict[str, bytes | None]:
        """The same as a work tree has them: None for a link, which nobody follows."""
        return {path: None if self._entries[path].mode == "120000" else data for path, data in self._trust.items()}

    @cached_property
    def openpgp(self) -> dict[str, str]:
        """The principals who have a file of OpenPGP keys, and its id."""
        found = ((path, entry) for path, entry in self._entries.items() if path.startswith(signers.OPENPGP))
        names = ((path[len(signers.OPENPGP) :], entry.oid) for path, entry in found if path.endswith(".asc"))
        return {name.removesuffix(".asc"): oid for name, oid in names if "/" not in name}

    @property
    def trust(self) -> TrustFiles:
        """Whose keys count, and what is accepted as it is."""
        allowed, baseline = (trusting.text_of(self._trust, path) for path in trusting.FILES)
        return TrustFiles(allowed, baseline, self.openpgp)

    @cached_property
    def tree(self) -> CommitTree:
        """All that `check` asks."""
        return CommitTree(self._entries, self.files, self._read)

    def in_dvc(self, paths: Collection[str]) -> dict[str, Json]:
        """Of each of `paths` that DVC has, the digests that it says."""
        if not paths:
            return {}
        from registry.artifacts import dvc  # few reviews need it

        # One path at a time, and what is in the tree alone: all that could be may be millions.
        files = sorted({file for path in paths for file in dvc.candidates([path], []) if file in self._entries})
        found = zip(files, self._read(files, committed.DVC_LIMIT), strict=True)
        try:
            known = dvc.outputs({path: data for path, data in found if data is not None})
        except Refused:  # a file of DVC that cannot be read says nothing
            return {}
        below: defaultdict[str, list[dvc.Output]] = defaultdict(list)  # each directory, and each output itself
        for one in known:
            for line in _lines(one.path):
                below[line].append(one)
        at = {one.path: one for one in known}
        near = {path: [*below.get(path, ()), *(at[line] for line in _lines(path)[:-1] if line in at)] for path in paths}
        return {path: [[one.path, one.md5] for one in dvc.within(path, near[path], ())] for path in paths}

    def _read(self, paths: Sequence[str], limit: int) -> list[bytes | None]:
        return bounds.dvc_files(self._repository, self.commit, paths, limit)


def _lines(path: str) -> list[str]:
    """The directories above `path`, and itself."""
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]


def _changed(before: _Committed, after: _Committed, manifest: Manifest) -> set[str]:
    """The artifacts with a `version` whose bytes in Git or in DVC are others than before."""
    versioned = [one for one in manifest.artifacts.values() if one.version is not None and not one.is_url]
    wanted = {one.name: one.path for one in versioned if one.path is not None}
    elsewhere = {path for path in wanted.values() if not before.tree.id_of(path) and not after.tree.id_of(path)}
    said, says = (commit.in_dvc(elsewhere) for commit in (before, after))
    return {
        name
        for name, path in wanted.items()
        if before.tree.id_of(path) != after.tree.id_of(path) or said.get(path) != says.get(path)
    }


def _other_bytes(
    repository: Repository, after: _Committed, before: Manifest, manifest: Manifest, nodes: Mapping[str, Node]
) -> Iterator[Problem]:
    """Warnings where a `version` that the change raises is, or could become, another model than the one at hand.

    It is registered already, at other bytes; or the line came in with an earlier commit of the change than the bytes,
    and that commit is the one which is registered where the change is merged by rebase.
    """
    raised = [wish for wish in wishes(manifest) if wish.stage is None and not wish.stands_in(before)]
    states = repository.states_of([wish.artifact for wish in raised])
    new = [wish for wish in raised if not wish.fulfilled(states[wish.artifact])]
    began = beginnings(repository, after.commit, new)
    for wish in raised:
        declared = manifest.artifacts[wish.artifact]
        path = declared.path
        there = states[wish.artifact].versions.get(wish.version or "")
        commit = began.get(wish) or (there.commit if there is not None else after.commit)
        if path is None or declared.is_url or commit == after.commit or not after.tree.id_of(path):
            continue
        if repository.ids_at([(commit, path)]) == [after.tree.id_of(path)]:
            continue
        place, _ = places(nodes, declared, "version")
        if wish in began:
            message = f"`version` was raised in {commit[:7]}, and what is at `path` changed later"
            hint = "a merge by rebase registers that commit: squash, or raise `version` with the bytes"
        else:
            message = f"{wish.artifact} {wish.version} is registered already, at {commit[:7]}, with other bytes"
            hint = "raise `version` further, or nothing registers what is at `path` now"
        yield Problem(place.path, place.line, place.column, "warning", message, hint)


def _unread(manifest: Manifest, files: Mapping[str, bytes]) -> Iterator[Problem]:
    """Manifests that `check` was not given, for they are not in this clone."""
    for path, reason in manifest.broken.items():
        if path not in files:
            yield Problem(path, 1, 1, "error", reason.removeprefix("1:1: "), "git fetch brings it")


def _warning(nodes: Mapping[str, Node], declared: Declaration) -> Problem:
    place, _ = places(nodes, declared, "path")
    message = f"what is at `path` changes, and `version` does not: {declared.version} keeps its old bytes"
    hint = "raise `version`, or nothing registers the new bytes"
    return Problem(place.path, place.line, place.column, "warning", message, hint)


def _obstacles(
    obstacles: Iterable[Obstacle], manifest: Manifest, nodes: Mapping[str, Node], known: Iterable[Problem]
) -> Iterator[Problem]:
    """Each obstacle at the line that it comes from, unless `check` has found an error there itself."""
    errors = {(one.path, one.line, one.column) for one in known if one.severity == "error"}
    for obstacle in obstacles:
        if obstacle.artifact == "":  # a manifest, or a line of it, that cannot be read: `check` says so itself
            continue
        declared = manifest.artifacts.get(obstacle.artifact, Declaration(obstacle.artifact, read.OURS))
        keys = ("version",) if obstacle.stage is None else ("assign", obstacle.stage)
        key, value = places(nodes, declared, *keys)
        said = [key, value]
        if obstacle.stage is None and declared.path is not None:
            said.append(places(nodes, declared, "path")[1])  # a file that is not there cannot be registered, either
        if not errors & {(one.path, one.line, one.column) for one in said}:
            yield Problem(key.path, key.line, key.column, "error", obstacle.message, obstacle.hint)
