"""Which URLs files can be pulled from: told by their spelling alone, so that a manifest can be judged by it, too."""

from __future__ import annotations

# The package that speaks each protocol. What is not in this table is refused: fsspec would read the reader's own disk
# (file://, local://), run commands on other machines (ssh://), and chain protocols (zip://...::file://...).
BACKENDS = {
    "s3": "s3fs",
    "s3a": "s3fs",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "http": "aiohttp",
    "https": "aiohttp",
    "hf": "huggingface_hub",
    "az": "adlfs",
    "abfs": "adlfs",
    "adl": "adlfs",
}
PAGES = ("http", "https")  # they know no directories
HUB = "hf"


def scheme_of(url: str) -> str:
    """The protocol of a URL."""
    return url.partition("://")[0].lower()


def place_of(url: str) -> str:
    """What follows the protocol: the path to what lies there, without query and fragment where those are none of it."""
    place = url.partition("://")[2]
    if scheme_of(url) in PAGES:
        place = place.partition("#")[0].partition("?")[0]
    return place.rstrip("/")


def problem(url: str, shown: str) -> tuple[str, str] | None:
    """Why nothing can be pulled from `url`, shown to people as `shown`, and a hint; None where something could."""
    scheme, place = scheme_of(url), place_of(url)
    if scheme not in BACKENDS or "::" in url:
        known = ", ".join(f"{name}://" for name in ("s3", "gs", "https", "hf", "az"))
        return f"nothing is pulled from {shown}", f"URLs that are pulled begin with {known}"
    if scheme == HUB and not _is_on_hub(place):
        return f"{shown} names no repository", "such as hf://org/model/model.onnx"
    if place == "" or (scheme in PAGES and not place.partition("/")[2]):
        return f"{shown} names no file", "a URL that is pulled ends in a name"
    return None


def _is_on_hub(place: str) -> bool:
    """Whether `place` names a repository, or something in one."""
    return len([part for part in place.split("/") if part]) >= (3 if place.startswith(("datasets/", "spaces/")) else 2)
