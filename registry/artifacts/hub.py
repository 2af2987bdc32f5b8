"""What is peculiar to the Hugging Face Hub: how its URLs name a repository, and how its errors read in plain words."""

from __future__ import annotations

import re
from collections.abc import Iterator

from registry.core.hiding import without_secrets
from registry.errors import NotFound, RegistryError, StoreFailed

# https://huggingface.co/docs/huggingface_hub/guides/hf_file_system
_repository = re.compile(r"(?:(?:models|datasets|spaces)/)?[^/@]+/(?P<name>[^/@]+)(?:@(?:refs/(?:convert|pr)/)?[^/]+)?")
_LOG_IN = "hf auth login, or HF_TOKEN, says who you are"


def name_of(place: str) -> str | None:
    """The name of the repository, where `place` (what follows hf://) names a whole one."""
    found = _repository.fullmatch(place)
    return None if found is None else found["name"]


def worded(url: str, error: BaseException) -> RegistryError | None:
    """What an error of huggingface_hub means, None where it is none of those that say something by their kind."""
    # By name: the package is an extra, and its classes have moved between modules.
    kinds = {type(one).__name__ for one in _chain(error)}
    shown = without_secrets(url)
    if "OfflineModeIsEnabled" in kinds:
        return StoreFailed(f"{shown} cannot be read: HF_HUB_OFFLINE forbids to ask the Hub", "unset HF_HUB_OFFLINE")
    if "GatedRepoError" in kinds:
        return StoreFailed(f"{shown} is gated: its owners let in whom they know", f"ask on its page; {_LOG_IN}")
    if "RevisionNotFoundError" in kinds:
        return NotFound(f"{shown} names a revision that is not there", "a branch, a tag or a commit may follow the @")
    if "RepositoryNotFoundError" in kinds:
        return NotFound(f"there is no repository at {shown}, or it is not for you", f"check the name; {_LOG_IN}")
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    one: BaseException | None = error
    for _ in range(10):
        if one is None:
            return
        yield one
        one = one.__cause__ or one.__context__


def sha256_of(about: object) -> str | None:
    """The SHA-256 that the Hub says of a file, where it is a large one: of others it knows Git's own digest."""
    lfs = about.get("lfs") if isinstance(about, dict) else None
    said = lfs.get("sha256") if isinstance(lfs, dict) else getattr(lfs, "sha256", None)
    return said if isinstance(said, str) and re.fullmatch(r"[0-9a-f]{64}", said) else None
