"""All that is wrong with the files of `.registry/`, and what a policy asks for that they lack (DESIGN part 4)."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterator, Mapping
from typing import TypeAlias

from registry.core import signers
from registry.core.signers import Remark, Signer
from registry.manifests.check import Problem
from registry.manifests.documents import Items, Node, Scalar, Table
from registry.manifests.read import OURS

LIMIT = 10 * 1000 * 1000  # bytes of one of the files, as where they count
LINES = 200_000  # of one of them: those that say something useful are longer than 50 bytes
FILES = (signers.ALLOWED_SIGNERS, signers.BASELINE)

# What is at the path of each of FILES that is there: bytes, or None where that is no plain file, or a larger one.
Found: TypeAlias = Mapping[str, "bytes | None"]

_SHOWN = 1000  # characters of what somebody wrote


def problems(found: Found, openpgp: Collection[str], nodes: Mapping[str, Node]) -> Iterator[Problem]:
    """What is wrong with the files themselves; then, where `nodes`, the manifests by path, want signatures of people
    of whom no key is listed. `openpgp` are those of whom there is a file of OpenPGP keys."""
    for path, data in found.items():
        if data is None:
            message = f"not a plain file of less than 10 MB and {LINES:,} lines"
            yield Problem(path, 1, 1, "error", message, "put the file itself there: a link is not followed")
    allowed = text_of(found, signers.ALLOWED_SIGNERS)
    baseline = text_of(found, signers.BASELINE)
    yield from (_problem(signers.ALLOWED_SIGNERS, one) for one in signers.remarks(allowed or ""))
    yield from (_problem(signers.BASELINE, one) for one in signers.accepted(baseline or "")[1])
    if allowed is not None:
        yield from _unlisted(nodes, [one for one in signers.listed(allowed) if isinstance(one, Signer)], openpgp)


def bounded(data: bytes | None) -> bytes | None:
    """`data`, or None where it is more than anybody can review."""
    return None if data is None or len(data) > LIMIT or data.count(b"\n") > LINES else data


def text_of(found: Found, path: str) -> str | None:
    """A file as text, "" where there is none; None where it cannot be read."""
    data = found.get(path, b"")
    return None if data is None else data.decode(errors="replace")


def _problem(path: str, remark: Remark) -> Problem:
    message, hint = (_line(text) for text in (remark.message, remark.hint))
    return Problem(path, remark.line, 1, "error" if remark.severity == "error" else "warning", message, hint)


def _line(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text[:_SHOWN])


# -- who has to sign, and has no key -----------------------------------------------------------------------------------


def _unlisted(nodes: Mapping[str, Node], known: Collection[Signer], openpgp: Collection[str]) -> Iterator[Problem]:
    """A warning for each place where the policy names somebody who has to sign, and cannot."""
    if any(one.is_pattern for one in known):
        return  # whom it fits is ssh-keygen's to say
    listed = {*openpgp, *(who for one in known for who in one.principals.split(","))}
    teams = _get(nodes.get(OURS), "teams")
    seen: set[str] = set()  # a team has many members, and many stages may name it
    for path, stage, principal in _asked(nodes):
        if not principal.text.startswith("@"):
            named = [(path, principal)]
        elif principal.text not in seen:
            seen.add(principal.text)
            named = [(OURS, one) for one in _texts(_get(teams, principal.text[1:]))]
        else:
            continue
        for file, who in named:
            if not who.text.startswith("@") and who.text not in listed:
                message = f"no key of {_line(who.text)} is listed, and {_line(stage)} wants signatures"
                hint = f"{signers.ALLOWED_SIGNERS} lists it, or {signers.OPENPGP}EMAIL.asc has it"
                yield Problem(file, who.line, who.column, "warning", message, hint)


def _asked(nodes: Mapping[str, Node]) -> Iterator[tuple[str, str, Scalar]]:
    """The principals of stages that are `signed`, each with its file and the name of its stage."""
    for path, stages in _lifecycles(nodes):
        for stage, rules in stages.values.items():
            signed = _get(rules, "signed")
            if isinstance(signed, Scalar) and signed.value is True:
                yield from ((path, stage, one) for one in _texts(_get(rules, "allow")))


def _lifecycles(nodes: Mapping[str, Node]) -> Iterator[tuple[str, Table]]:
    """Every `stages:` that counts: the general one, and those of artifacts."""
    for path, node in nodes.items():
        if posixpath.basename(path) != OURS:
            continue
        owners = [node] if path == OURS else []
        for section in ("models", "artifacts"):
            entries = _get(node, section)
            owners += entries.values.values() if isinstance(entries, Table) else ()
        for owner in owners:
            stages = _get(owner, "stages")
            if isinstance(stages, Table):
                yield path, stages


def _get(node: Node | None, key: str) -> Node | None:
    return node.values.get(key) if isinstance(node, Table) else None


def _texts(node: Node | None) -> Iterator[Scalar]:
    for item in node.items if isinstance(node, Items) else ():
        if isinstance(item, Scalar) and isinstance(item.value, str):
            yield item
