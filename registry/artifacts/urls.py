"""Files and directories at URLs, through fsspec (https://filesystem-spec.readthedocs.io)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from registry.artifacts import hub, paths
from registry.artifacts.staging import CHUNK, Staging
from registry.core import urls
from registry.core.hiding import without_secrets
from registry.errors import NotFound, Refused, RegistryError, StoreFailed

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

_ASK = "nothing was moved in; ask whoever keeps the store"
_CRUMBS = 20  # reads of a file that may end before what was asked for


def check(url: str) -> str:
    """The name below which the files of `url` lie. Raises Refused where it is not one to pull from."""
    if (problem := urls.problem(url, without_secrets(url))) is not None:
        raise Refused(*problem)
    place = urls.place_of(url)
    whole = hub.name_of(place) if urls.scheme_of(url) == urls.HUB else None
    return paths.check(whole or place.rpartition("/")[2])


def gather(url: str, staging: Staging) -> None:
    """Write the file at `url`, or the files of the directory there. Raises NotFound, Refused or StoreFailed."""
    name = check(url)
    system, root = _opened(url)
    try:
        found = list(_files(system, root, pages=urls.scheme_of(url) in urls.PAGES))
        if not found:
            raise NotFound(f"there is nothing at {without_secrets(url)}", "check the path in the manifest")
        whole = staging.recorded(url)
        for below, _, size, _ in found:
            paths.check(f"{name}{below}")
            staging.meter.expect(size or 0)
        for below, place, size, said in found:
            # What is recorded of the URL is about the one file there.
            sha256 = (whole.sha256 if below == "" else None) or said
            bytes_ = whole.size if below == "" else None
            _write(system, place, f"{name}{below}", sha256, size, bytes_, staging, f"{without_secrets(url)}{below}")
    except (RegistryError, KeyboardInterrupt):
        raise
    except FileNotFoundError as error:
        if (known := hub.worded(url, error)) is not None:
            raise known from error
        raise NotFound(f"there is nothing at {without_secrets(url)}", "check the path in the manifest") from error
    except PermissionError as error:
        raise StoreFailed(f"{without_secrets(url)} is not for you", "check the credentials of its store") from error
    except Exception as error:
        if isinstance(error, OSError) and error.filename is not None:
            raise  # of the disk
        if (known := hub.worded(url, error)) is not None:
            raise known from error
        said = without_secrets(str(error)) or type(error).__name__
        raise StoreFailed(f"{without_secrets(url)} cannot be read: {said}", "try again; what came is kept") from error


def _opened(url: str) -> tuple[AbstractFileSystem, str]:
    scheme = urls.scheme_of(url)
    try:
        from fsspec.core import url_to_fs  # an extra, and slow to import
    except ImportError as error:
        hint = f"pip install 'git-registry[url]' {urls.BACKENDS[scheme]}"
        raise StoreFailed(f"{scheme}:// needs the package fsspec", hint) from error
    try:
        # Nothing remembered: what is at a URL may have changed.
        system, root = url_to_fs(f"{scheme}{url[len(scheme) :]}", skip_instance_cache=True, use_listings_cache=False)
    except ImportError as error:
        package = urls.BACKENDS[scheme]
        raise StoreFailed(f"{scheme}:// needs the package {package}", f"pip install {package}") from error
    except Exception as error:
        said = without_secrets(str(error)) or type(error).__name__
        raise StoreFailed(f"{without_secrets(url)} cannot be reached: {said}", "check the URL") from error
    return system, str(root)


def _files(system: Any, root: str, *, pages: bool) -> Iterator[tuple[str, str, int | None, str | None]]:
    """What is at `root`: of each file its path below it ("" for root itself), its place, and its size and SHA-256 where
    the store says them."""
    if pages:
        yield "", root, None, None
        return
    about = system.info(root)
    if about["type"] == "file":
        yield "", root, about.get("size"), hub.sha256_of(about)
        return
    prefix = root.rstrip("/")
    for place, one in sorted(system.find(prefix, detail=True).items()):
        if one["type"] == "file" and not place.endswith("/"):  # a key that ends so stands for a directory
            if not place.startswith(f"{prefix}/"):
                raise Refused(f"the store lists {place!r} below {prefix!r}", "somebody made it by hand: look at who")
            yield place.removeprefix(prefix), place, one.get("size"), hub.sha256_of(one)


def _write(
    system: Any,
    place: str,
    path: str,
    sha256: str | None,
    size: int | None,
    known: int | None,
    staging: Staging,
    origin: str,
) -> None:
    """Write one file: the store says its `size`, and `known` is the one that was recorded."""
    if staging.has(path, "url", sha256, origin=origin):
        return
    with (
        staging.writing(path, "url", sha256, origin=origin) as sink,
        system.open(place, "rb", block_size=5 * CHUNK) as file,
    ):
        size = size if size is not None else getattr(file, "size", None)
        known = known if known is not None else staging.recorded(path).size
        _check_claim(origin, size, known, staging)
        crumbs = 0
        while chunk := file.read(CHUNK):
            sink.write(chunk)
            if known is not None and sink.size > known:
                raise Refused(f"{origin} is not what was registered: it has more than {known} bytes", _ASK)
            # A server may claim any size, and then answer each question for a part of it with a few bytes.
            crumbs += size is not None and len(chunk) < CHUNK and sink.size < size
            if crumbs > _CRUMBS:
                raise StoreFailed(f"{origin} comes in crumbs, {sink.size} of {size} bytes so far", _ASK)
        if size is not None and sink.size != size:
            raise StoreFailed(f"{path} ended after {sink.size} of {size} bytes", "try again; what came is kept")


def _check_claim(origin: str, size: int | None, known: int | None, staging: Staging) -> None:
    """Nothing, where the store claims a size that can be. Raises Refused or StoreFailed."""
    if size is None:
        return
    if known is not None and size != known:
        raise Refused(f"{origin} is not what was registered: its size is {size}, not {known}", _ASK)
    if size > (free := staging.free):
        raise StoreFailed(f"{origin} has {size} bytes, and the disk has room for {free}", "make room, or -o elsewhere")
