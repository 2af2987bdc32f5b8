"""A version's file as the object that it holds, by what its suffix or the manifest says that it is.

Formats that hold numbers and names are loaded when they are recognised. A pickle is a program of whoever made it, so it
is loaded only for who asks for one by name.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from registry.errors import NotFound, Refused, RegistryError, UsageError
from registry.porcelain.keep import Kept

SUFFIXES = {
    ".onnx": "onnx",
    ".safetensors": "safetensors",
    ".skops": "skops",
    ".joblib": "joblib",
    ".pickle": "pickle",
    ".pkl": "pickle",
}
RUNNING = ("joblib", "pickle")  # loading one runs what is in it
_TORCH = ("torch", "pytorch")


def load(kept: Kept, format: str | None = None, trusted: Sequence[str] = ()) -> Any:  # noqa: A002  (the reader's word)
    """What the file holds. Raises UsageError where nothing says how, Refused where it would run code unasked."""
    if isinstance(trusted, str):
        raise UsageError(f"trusted is one name: {trusted}", "put it into a list")
    if format is not None and format not in _LOADERS:
        raise UsageError(f"nothing loads the format {format!r}", f"there is {', '.join(_LOADERS)}")
    file, found = (_file(kept, format), format) if format is not None else _recognised(kept)
    name = f"{kept.artifact} {kept.version}"
    if format is None and found in RUNNING:
        raise Refused(
            f"{name} is a {found} file, and loading one runs code of whoever made it",
            f"if you trust them: load(format={found!r}), or path() for the file",
        )
    loader = _LOADERS[found]
    try:
        return loader.load(file, kept, trusted)
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in loader.packages:
            raise
        raise RegistryError(f"loading {name} needs the package {missing}", f"pip install {missing}") from error
    except RegistryError:
        raise
    except Exception as error:
        said = " ".join(str(error).split())[:300] or type(error).__name__
        raise RegistryError(f"{name} cannot be loaded as {found}: {said}", "path() gives the file itself") from error


def _recognised(kept: Kept) -> tuple[Path, str]:
    """The file, and its format: by its suffix, else by the manifest's `framework`, else by its `type`."""
    if kept.path.is_dir():
        known = _below(kept.path, SUFFIXES)
        if len(known) == 1:
            return known[0], SUFFIXES[known[0].suffix.lower()]
        raise UsageError(
            f"{kept.artifact} {kept.version} is a directory, in which {len(known)} files could be loaded",
            "path() gives the directory itself",
        )
    words = (SUFFIXES.get(kept.path.suffix.lower()), kept.framework.lower(), kept.type.lower())
    found = next((word for word in words if word in _LOADERS), None)
    if found is None:
        raise UsageError(
            f"nothing says how to load {kept.path.name!r} of {kept.artifact} {kept.version}",
            f"load(format=...), one of {', '.join(_LOADERS)}; or path() for the file itself",
        )
    return kept.path, found


def _file(kept: Kept, wanted: str) -> Path:
    if not kept.path.is_dir():
        return kept.path
    known = _below(kept.path, [suffix for suffix, name in SUFFIXES.items() if name == wanted])
    if len(known) != 1:
        name = f"{kept.artifact} {kept.version}"
        raise NotFound(f"{name} is a directory with {len(known)} {wanted} files", "path() gives the directory itself")
    return known[0]


def _below(directory: Path, suffixes: Mapping[str, str] | Sequence[str]) -> list[Path]:
    return sorted(path for path in directory.rglob("*") if path.suffix.lower() in suffixes and path.is_file())


# -- the formats -------------------------------------------------------------------------------------------------------


def _onnx(file: Path, _: Kept, __: Sequence[str]) -> Any:
    runtime = import_module("onnxruntime")
    return runtime.InferenceSession(str(file), providers=runtime.get_available_providers())


def _safetensors(file: Path, kept: Kept, _: Sequence[str]) -> Any:
    if kept.framework.lower() in _TORCH:
        import_module("torch")  # safetensors.torch would say less well what is missing
        return import_module("safetensors.torch").load_file(str(file))
    return import_module("safetensors.numpy").load_file(str(file))


def _skops(file: Path, kept: Kept, trusted: Sequence[str]) -> Any:
    skops = import_module("skops.io")
    unknown = sorted(set(skops.get_untrusted_types(file=file)) - set(trusted))
    if unknown:
        raise Refused(
            f"{kept.artifact} {kept.version} holds types that skops does not know to be harmless: {', '.join(unknown)}",
            "if you trust them: load(trusted=[...]) with their names",
        )
    return skops.load(file, trusted=list(trusted))


def _joblib(file: Path, _: Kept, __: Sequence[str]) -> Any:
    return import_module("joblib").load(file)


def _pickle(file: Path, _: Kept, __: Sequence[str]) -> Any:
    with file.open("rb") as opened:
        return pickle.load(opened)  # noqa: S301  (who calls has asked for it by name)


@dataclass(frozen=True, slots=True)
class _Loader:
    """How a format is loaded, and the packages that it takes."""

    load: Callable[[Path, Kept, Sequence[str]], Any]
    packages: tuple[str, ...] = ()


_LOADERS = {
    "onnx": _Loader(_onnx, ("onnxruntime",)),
    "safetensors": _Loader(_safetensors, ("safetensors", "torch", "numpy")),
    "skops": _Loader(_skops, ("skops",)),
    "joblib": _Loader(_joblib, ("joblib",)),
    "pickle": _Loader(_pickle),
}
