"""The rules that a writer keeps (DESIGN parts 2, 4 and 5). Each function returns, or raises and says what to do."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from registry.core import names
from registry.core import version as versions_
from registry.core.manifest import Lifecycle, Manifest
from registry.core.select import nearest
from registry.core.state import ArtifactState, VersionState
from registry.core.version import Bump, Version
from registry.errors import NotFound, Refused


def check_stage(lifecycle: Lifecycle | None, stage: str) -> None:
    """The stage is one of the lifecycle, where there is one. Raises NotFound with the nearest name."""
    if lifecycle is None or stage in lifecycle:
        return
    close = nearest(stage, lifecycle)
    raise NotFound(
        f"no stage {stage} in the manifest",
        f"did you mean {close}?" if close else f"there is {', '.join(lifecycle)}" if lifecycle else "declare it there",
    )


def check_after(lifecycle: Lifecycle | None, state: ArtifactState, version: VersionState, stage: str) -> None:
    """The version has held the stage that `after:` names, since its last registration. Raises Refused."""
    before = lifecycle[stage].after if lifecycle is not None and stage in lifecycle else None
    if before is None or state.was_in(before, version):
        return
    raise Refused(
        f"{state.name} {version.name} has not been in {before}, which the manifest wants before {stage}",
        f"registry assign '{state.name}@{version.name}' {before}",
    )


def next_version(state: ArtifactState, part: Bump, pre: str | None) -> Version:
    """The version that a registration takes when it is free to choose: DESIGN part 5."""
    greatest = state.greatest_ever
    if greatest is not None:
        return versions_.bump(greatest, part, pre)
    return versions_.check(versions_.FIRST if pre is None else f"{versions_.FIRST}-{pre}.1")


def check_new_version(state: ArtifactState, version: Version, commit: str, force: bool, overwrite: bool) -> None:
    """The version may be registered at `commit`. Raises Refused.

    It must not be active already, unless it moves by `force` and the manifest's `overwrite` allows that; the commit
    must not have another active version, unless that is a pre-release of this one, or by `force`.
    """
    there = state.versions.get(version.text)
    if there is not None and there.active:
        _check_move(state, there, commit, force, overwrite)
    for other in state.at(commit):
        if other.name != version.text and not force and not _leads_to(other.version, version):
            raise Refused(
                f"commit {commit[:7]} is {state.name} {other.name} already",
                "commit what has changed first, or say --force to give it a second version",
            )


def _check_move(state: ArtifactState, there: VersionState, commit: str, force: bool, overwrite: bool) -> None:
    who = f"by {there.registration.by.name} on {there.registration.by.iso[:10]}"
    if there.commit == commit:
        raise Refused(
            f"{state.name} {there.name} is registered already, at this commit, {who}", "nothing is to be done"
        )
    if not force:
        raise Refused(
            f"{state.name} {there.name} is registered already, at {there.commit[:7]}, {who}",
            "leave --version out for the next one" + (", or say --force to move it here" if overwrite else ""),
        )
    if not overwrite:
        raise Refused(
            f"{state.name} {there.name} cannot move from {there.commit[:7]}: the manifest says overwrite: forbid",
            "leave --version out for the next one",
        )


def _leads_to(candidate: Version, version: Version) -> bool:
    """Whether `candidate` is a pre-release of the release `version`: the same three numbers (SemVer clause 9)."""
    return candidate.is_prerelease and not version.is_prerelease and candidate.numbers == version.numbers


def check_travels(tag: str) -> None:
    """A ref of this name reaches every clone and file system. Raises Refused."""
    problem = names.travel_problem(tag)
    if problem is not None:
        raise Refused(f"the tag {tag} would not travel: {problem}", "choose another name")


def check_way(wanted: Iterable[str], there: Iterable[str], deleted: Collection[str], remote: str) -> None:
    """No tag of a remote, `there` or `deleted`, stands in the way of those `wanted`. Raises Refused."""
    for tag in wanted:
        if tag in deleted:
            raise Refused(
                f"the tag {tag} was deleted at {remote}, and is still here",
                f"registry delete '{tag}' deletes it here too",
            )
        for other in there:
            if other == tag:
                raise Refused(
                    f"the tag {tag} is at {remote} already, but is no event", "registry doctor says what it is"
                )
            if other.startswith(f"{tag}/") or tag.startswith(f"{other}/"):
                raise Refused(f"the tags {other} (at {remote}) and {tag} cannot both exist", "choose another name")


def check_case(word: str, there: Iterable[str], what: str) -> None:
    """`word` does not differ from one of `there` in case only. Raises Refused."""
    for other in there:
        if other != word and other.lower() == word.lower():
            raise Refused(f"the {what} {word} differs from {other} in case only", f"did you mean {other}?")


def check_readable(manifest: Manifest, artifact: str) -> None:
    """The rules for the artifact can be read: a broken file or a misspelt gate may not open a stage. Raises Refused."""
    for path, reason in manifest.broken.items():
        if path.rpartition("/")[0] in {"", names.directory_of(artifact)}:
            raise Refused(f"{path} at HEAD cannot be read: {reason}", "registry check says more; mend it and commit")
    for name in ("", artifact):
        if name in manifest.doubts:
            raise Refused(
                f"a rule cannot be understood: {manifest.doubts[name]}", "mend it in the manifest, and commit"
            )


def check_declared(manifest: Manifest, artifact: str) -> None:
    """The manifest at the commit declares the artifact. Raises NotFound, or Refused for a broken manifest."""
    if artifact in manifest.artifacts:
        return
    if not manifest.files:
        raise NotFound(
            "the repository has no manifest at this commit", "commit registry.yaml; registry init writes one"
        )
    directory = names.directory_of(artifact)
    for path, reason in manifest.broken.items():
        if path.rpartition("/")[0] == directory:
            raise Refused(
                f"{path} at this commit cannot be read: {reason}", "registry check shows what is wrong with it"
            )
    close = nearest(artifact, manifest.names)
    close = next((name for name in manifest.names if name.endswith(f":{artifact}")), close)  # in a directory
    hint = f"did you mean {close}?" if close else f"registry add {artifact} --path PATH declares it; commit that then"
    raise NotFound(f"{artifact} is not in the manifest at this commit", hint)
