"""What a manifest says and nobody can understand: reading leaves it out, and `apply` must not."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping

from registry.manifests.conform import Fault, faults
from registry.manifests.read import OURS, parsed
from registry.manifests.shape import MANIFEST


def malformed(files: Mapping[str, bytes]) -> Iterator[tuple[str, Fault]]:
    """Every fault in the shape of the manifests `files`, with its path; files that are not YAML are left out."""
    nodes, _ = parsed({path: data for path, data in files.items() if posixpath.basename(path) == OURS})
    for path, node in nodes.items():
        yield from ((path, fault) for fault in faults(MANIFEST, node, "the manifest") if fault.severity == "error")
