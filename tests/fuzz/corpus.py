"""The inputs that fuzzing begins with: a few that are kept for each target, and seeds made from public registries."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Any

import registry
from tests.fuzz.targets import MANIFESTS
from tests.manifests.conftest import EVERYTHING
from tests.real.conftest import DATA

KEPT = Path(__file__).parent / "corpus"
MOST, LARGEST = 30, 1000  # files of one target, and bytes of one file: a clone has them all
_CODE = str(Path(registry.__file__).parent)

_UNREADABLE_GATE = """\
stages: {production: {require: {metrics: {auc: ""}, no_worse_than: production}}, staging: {}}
models: {a: {path: x, assign: {production: v1.1.0, staging: null}}}
"""
EXAMPLES: Mapping[str, Sequence[str]] = {  # what the public ones do not have
    "text_of_message": [
        f"Assign churn v1.0.0 to prod\n\nTests passed.\n\nRegistry: 1\nPrevious: {'a' * 40}\nVersion: v1.0.0\n",
        "Register\n\nRegistry: 1\nCounter: 1\n-----BEGIN PGP SIGNATURE-----\n\nx\n-----END PGP SIGNATURE-----\n",
        "Assign\0words\n\nRegistry: 1\0tabular\0because\0b\0Of-Tomorrow",
    ],
    "keys_of_version": [
        f"Metric: auc=0.9\nParam: depth=3\nTag: a=b\nLabel: x\nArtifact: a sha256:{'0' * 64} 1\0Metric: auc=\nLabel: y",
        'Uses: d@v1.0.0\nContent: {"a": [1.5]}\nDeployment: eu=u\nRun: mlflow:1\nOther: x\0Deployment: us=u\nParam: a=',
    ],
    "history": [
        "m@v1.0.0\t1\t1\tCounter: 1\tNumber: 3\nm@v1.0.0!#2\t2\t1\nm@v1.0.0#3\t3\t2\tLabel: x\nm@v1.0.0=#4\t4\t2\n",
        "m@v1.0.0\t2\t2\nm#prod#5\t5\t2\tVersion: v1.0.0\nm#prod!#6\t6\t2\nm#prod\t7\t3\nm@deprecated#7\t8\t2\n",
    ],
    "signed_tag": [
        "-----BEGIN SSH SIGNATURE-----\nU1NI\n-----END SSH SIGNATURE-----\n",
        "Note\n\nRegistry: 1\nLabel: x\n-----BEGIN SSH SIGNATURE-----\nx\n\nRegistry: 1\n-----BEGIN SSH MESSAGE-----\n",
        "x\n-----BEGIN PGP SIGNATURE-----\n\n-----BEGIN SIGNED MESSAGE-----\n\u00e9\n\ny\n-----BEGIN PGP MESSAGE-----",
    ],
    "judged_history": [
        "m@v1.0.0\t1\t1\tCounter: 1\nm#dev#2\t2\t1\tVersion: v1.0.0\nm#prod#4\t4\t1\tVersion: v1.0.0\nm@v1.0.0#5\t5\t2",
        "m@v1.0.0\t1\t1\tCounter: 1\nm@v1.0.0=#3\t3\t1\tApproved: prod\nm@v1.0.0!#6\t6\t2\tPrevious: oid of m@v1.0.0",
        "m@v1.0.0\t1\t1\tCounter: 1\tNumber: 1\nm#prod#2\t2\t1\tPrevious: oid of m@v1.0.0\nm#x!#3\t3\t1\tVersion: v2",
    ],
    "trusted_files": [
        'ana@x namespaces="git",valid-before="20300101Z" ssh-ed25519 AAAA c\n#\n* ssh-rsa AA\n"a,b" valid-after=1 x',
        f"# x\nchurn@v1.0.0 {'a' * 40}\nchurn@v1.0.0 {'b' * 64}\nchurn\n",
    ],
    "pushed_refs": [
        f"{'0' * 40} {'a' * 40} refs/tags/churn@v1.0.0\n{'a' * 64} {'0' * 64} refs/heads/x y\n",
        "\u2028\x85",
    ],
    "version": ["v1.2.3-rc.1+b\0v1.2.3\0v1.2.3-rc.a", "v1.0.0-1\0v1.0.0-a.b\0v1.0.0", "1.0.0", "v1.2"],
    "selector": [
        *("churn@latest", "churn#production", ">=1.0,<2", "^1.2", "~1.2.3-rc.1", "!=1", "7", "v1.2", "churn@v2.0.0"),
        *("metrics.auc>=0.9", "version>v1.0.0"),
    ],
    "address": [
        *("https://ana:secret@github.com/a/b.git", "git@gitlab.com:a/b", "ssh://git@codeberg.org:22/a/b", "ext::sh"),
        *("version/here/cv=churn@v1.0.0.html", "history/here/churn~2.html", "compare/here/m@v1.0.0...v2.0.0.html"),
    ],
    "document": [EVERYTHING, "a: &a {b: 1}\nc: {<<: *a, d: 0x10}\ne: [1.5, .inf, !!str 1, ~]\n? f\n: |\n  g\n"],
    "manifests": [
        _UNREADABLE_GATE,
        EVERYTHING,
        f"{EVERYTHING}\0{EVERYTHING}",
        "\0\0\0\0churn: {path: a, custom: 1}\0stages: [a]",
    ],
    "edits": [
        EVERYTHING,
        "models: {a: {path: x}, b: {path: y}}\0words",
        "models:\n  a: &x\n    path: b\n  # c\n\n  b: *x\n",
    ],
    "values": ['{"a": {"b": [1, 2.5, null, true]}}', "a:\n  b: 1\n", "[a]\nb = 1\nc = 2026-01-01\nd = inf\n"],
    "dvc_files": [
        f"outs:\n- md5: {'a' * 32}.dir\n  size: 3\n  hash: md5\n  path: x\n  remote: r\nwdir: ..\n",
        f"stages:\n  a@1:\n    outs:\n    - path: x\n      md5: {'a' * 32}\n\0stages:\n  a:\n    do:\n      wdir: y\n",
        "stages:\n  a:\n    wdir: y\n    outs: [x, y: {cache: false}]\n",
    ],
    "dvc_settings": ["[core]\n  remote = s\n['remote \"s\"']\n  url = ../x\n  region = 'eu' #c\n[cache]\ndir = /c\n"],
    "pointer": [f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 12\n"],
    "tree": [f"100644 a\0{'x' * 20}40000 d\0{'y' * 20}120000 l\0{'z' * 20}"],
    "git_answers": [
        "To x\n!\trefs/tags/a:refs/tags/a\t[rejected] (stale info)\n=\ta:refs/tags/b\t[up to date]\n*\tc:c\t[new]\n",
        f"{'a' * 40}\trefs/tags/a\n{'b' * 40}\trefs/tags/a^{{}}\n",
        "hint: do x\nfatal: unable to access 'https://a:b@c/d': no\nerror: failed to push some refs\n",
        "fatal: Could not read from remote repository.\nssh: connect: no\n",
    ],
    "overview_file": [
        '{"format": "", "whole": "a", "artifacts": {"m": ["d", ["m", "v1.0.0", {"s": "v1.0.0"}, 1, true, [], "t"]]}}',
    ],
    "form": [
        "name=churn&version=v1.0.0&stage=prod&metrics=a%3D1%0Ab%3D2&labels=x&bump=minor&message=a%0D%0Ab&force=on"
    ],
    "model_card": [
        "---\nlicense: mit\n---\n# A\n\n![i](https://a/b) [l](mailto:a@b) `c` <b> ~~s~~\n\n|a|b|\n|:-|-:|\n| 1 | 2 |\n",
        "3. x\n\n```sh\ny\n```\n\n> *q* **r**\n\n[x](javascript:y) &lt;\n",
    ],
    "words": ["`a` | ``b`` <x> @user #1\n::error::x\n##[group]\u202e\\|"],
    "payload": [
        '{"repository": {"default_branch": "x"}, "pull_request": {"base": {"sha": "a"}}}',
        '[{"base": {"ref": "x"}, "html_url": "u", "number": 1, "merged_at": "x"}]',
        '[{"state": "APPROVED", "user": {"login": "ana", "id": 1}, "author_association": "OWNER"}]',
    ],
    "inputs": ["review\0a@v1.0.0\0true\0out\0false\x003\0t\0.\0refs/tags/x", "auto\0\0\0\0\0\0\0\0refs/tags/x"],
}


def kept(target: str) -> list[Path]:
    """The files that are kept for a target, by name."""
    return sorted((KEPT / target).glob("*"))


def seeds(target: str) -> list[bytes]:
    """What the public registries of `tests/real` say to a target."""
    data = [json.loads(file.read_text()) for file in sorted(DATA.glob("*.json"))]
    tags = [tag for one in data for tag in one["tags"]]
    manifests = [text.encode() for one in data for commit in one["commits"] for text in commit["manifests"].values()]
    manifests = list(dict.fromkeys(manifests))
    by_name: dict[str, list[bytes]] = {
        "tag_object": [_object(tag) for tag in tags],
        "tag_listing": [b"\0".join(_object(tag) for tag in tags[:3])],
        "history": [_lines(one["tags"]) for one in data],
        "text_of_message": [tag["message"].encode() for tag in tags],
        "name": [tag["name"].encode() for tag in tags],
        "selector": [tag["name"].encode() for tag in tags],
        "document": manifests,
        "manifests": [b"\0" * MANIFESTS.index("dvc.yaml") + text for text in manifests],
        "edits": manifests,
        "dvc_files": manifests,
    }
    return [*dict.fromkeys([*by_name.get(target, []), *(text.encode() for text in EXAMPLES.get(target, []))])]


def _object(tag: dict[str, Any]) -> bytes:
    when = int(datetime.fromisoformat(tag["date"]).timestamp())
    head = (
        f"object {tag['target']}\ntype commit\ntag {tag['name']}\ntagger {tag['tagger']} <a@example.com> {when} +0000"
    )
    return f"{head}\n\n{tag['message']}\n".encode()


def _lines(tags: Iterable[dict[str, Any]]) -> bytes:
    lines = (f"{tag['name']}\t{int(datetime.fromisoformat(tag['date']).timestamp())}\t{tag['target']}" for tag in tags)
    return "\n".join(lines).encode()


def keep(target: str, run: Callable[[bytes], None], found: Iterable[bytes]) -> list[Path]:
    """Replace what is kept for a target by the fewest and smallest of it and of `found` that reach as much of our code.

    Where that is too much, by what reaches most of it.
    """
    there = {file.read_bytes() for file in kept(target)}
    small = sorted((one for one in {*there, *found} if len(one) <= LARGEST), key=lambda one: (len(one), one))
    run(b"")  # what is imported and compiled when it is first needed is no merit of an input's
    reached = {one: _reached(run, one) for one in small}
    chosen: list[bytes] = []
    known: set[object] = set()
    while len(chosen) < MOST and reached:
        best = max(reached, key=lambda one: len(reached[one] - known))  # of equals the first, which is the smallest
        if not reached[best] - known:
            break
        chosen.append(best)
        known |= reached.pop(best)
    directory = KEPT / target
    directory.mkdir(parents=True, exist_ok=True)
    for file in kept(target):
        file.unlink()
    files = [directory / hashlib.sha256(one).hexdigest()[:8] for one in chosen]
    for file, one in zip(files, chosen, strict=True):
        file.write_bytes(one)
    return files


def _reached(run: Callable[[bytes], None], data: bytes) -> set[object]:
    """The steps from line to line of our own code that an input leads through."""
    steps: set[object] = set()
    last: dict[FrameType, int] = {}

    def local(frame: FrameType, what: str, _: object) -> Any:
        if what == "line":
            steps.add((frame.f_code.co_filename, last.get(frame), frame.f_lineno))
            last[frame] = frame.f_lineno
        elif what == "return":
            last.pop(frame, None)
        return local

    def trace(frame: FrameType, _: str, __: object) -> Any:
        return local if frame.f_code.co_filename.startswith(_CODE) else None

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        run(data)
    finally:
        sys.settrace(before)
    return steps


def inputs(directory: Path) -> Iterator[bytes]:
    """The bytes of all files in a directory, if there is one."""
    if directory.is_dir():
        yield from (file.read_bytes() for file in sorted(directory.iterdir()))
