"""Files of the work tree that commands write: the manifests, and those of `.registry/`. Each is replaced whole."""

from __future__ import annotations

import os
from pathlib import Path
from threading import get_ident

from registry.errors import GitFailed, ManifestError, Refused
from registry.repository import MANIFEST_LIMIT, Repository


def root(repository: Repository) -> Path:
    """The top of the work tree. Raises Refused where there is none."""
    if repository.root is None:
        raise Refused("this repository has no work tree", "edit the manifest in a clone of it")
    return repository.root


def editable(repository: Repository, path: Path) -> Path:
    """The file that is meant, a link followed. Raises Refused where it leads out of the repository, or into `.git`."""
    real = Path(os.path.realpath(path))
    own = [os.path.realpath(place) for place in (repository.clone.git_dir, repository.clone.common_dir)]
    if not real.is_relative_to(os.path.realpath(root(repository))) or any(real.is_relative_to(one) for one in own):
        raise Refused(f"{path.name} is a link that leads out of the repository", "put the file itself there")
    return path


def data(path: Path) -> bytes | None:
    """What is in a file, a byte more than a manifest may have at most; None where it is none. Raises GitFailed."""
    try:
        with path.open("rb") as file:
            return file.read(MANIFEST_LIMIT + 1)
    except (FileNotFoundError, IsADirectoryError):
        return None  # deleted in the work tree, or a submodule
    except OSError as error:
        raise GitFailed(f"{path.name} cannot be read: {error.strerror}", "check its permissions") from error


def text(path: Path) -> str:
    """A file as text, empty where there is none. Raises ManifestError where it is too large, or not UTF-8."""
    found = data(path) or b""
    if len(found) > MANIFEST_LIMIT:
        raise ManifestError(f"{path.name} is larger than 10 MB", "registry check says what else is wrong")
    try:
        return found.decode()
    except UnicodeDecodeError as error:
        raise ManifestError(f"{path.name} is not text in UTF-8", "save it as UTF-8") from error


def replace(path: Path, said: str) -> None:
    """Replace a file whole, or not at all. Raises GitFailed."""
    new = path.with_name(f".{path.name}.{os.getpid()}-{get_ident()}")  # threads of a server write, too
    try:
        new.write_bytes(said.encode())
        if path.exists():
            new.chmod(path.stat().st_mode & 0o7777)
        new.replace(path.resolve())
    except OSError as error:
        raise GitFailed(
            f"{path.name} cannot be written: {error.strerror}", "check its permissions and the disk"
        ) from error
    finally:
        new.unlink(missing_ok=True)
