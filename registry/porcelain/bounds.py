"""How much of a commit `review`, `plan` and `apply` read: a stranger may have made it, and is to keep nobody busy."""

from __future__ import annotations

from collections.abc import Sequence

from registry.errors import Refused
from registry.manifests.read import is_manifest
from registry.plumbing import objects
from registry.plumbing.objects import Extent, Object, TooMuch
from registry.repository import MANIFEST_LIMIT, Repository

MOST = 5000  # manifests
_MB = 1000 * 1000
TOTAL = 20 * _MB  # bytes of all of them together, which take a minute or two
DVC_TOTAL = 50 * _MB  # bytes of what DVC says of the files that Git does not have; its files are many, and small
_PATHS = 100 * _MB  # bytes of all paths: about a million files


def manifests(repository: Repository, commit: str) -> dict[str, Object]:
    """What is at the path of each manifest of a commit, without bytes where it is no file, too large or not here.

    Raises Refused where there is more than anybody can review.
    """
    repository.bring_all([(commit, ".")], Extent.NAMES)
    listed = objects.paths_at(repository.git, commit, _PATHS)
    if listed is None:
        raise Refused(
            f"{commit[:7]} has too many files: their paths are more than {_PATHS // _MB} MB",
            "a directory that stands in others again and again makes that of a small change",
        )
    paths = [path for path in listed if is_manifest(path)]
    if len(paths) > MOST:
        raise Refused(
            f"{commit[:7]} has {len(paths)} manifests: no more than {MOST:,} are read together",
            "declare several models in one registry.yaml",
        )
    try:
        found = repository.blobs_at([(commit, path) for path in paths], MANIFEST_LIMIT, TOTAL)
    except TooMuch as error:
        raise Refused(
            f"the manifests at {commit[:7]} have more than {TOTAL // _MB} MB together",
            "put data into files of their own, and their paths into the manifest",
        ) from error
    return dict(zip(paths, found, strict=True))


def dvc_files(repository: Repository, commit: str, paths: Sequence[str], limit: int) -> list[bytes | None]:
    """The bytes of files of a commit in which DVC says what it makes, None for those that are larger than `limit`.

    Raises Refused where there is more than anybody can review.
    """
    try:
        found = repository.blobs_at([(commit, path) for path in paths], limit, DVC_TOTAL)
    except TooMuch as error:
        raise Refused(
            f"the files of DVC at {commit[:7]} have more than {DVC_TOTAL // _MB} MB together",
            "correct the paths that are not in Git, and nobody has to look for them there",
        ) from error
    return [one.data for one in found]
