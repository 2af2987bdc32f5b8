"""How to use an artifact: the very commands, Python and workflow lines to copy."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from registry.core.names import in_tag
from registry.plumbing.address import is_url
from registry.porcelain.values import Artifact
from registry.web.page import Dashboard, Source

_ACTION = "git-registry/git-registry@HASH"


@dataclass(frozen=True, slots=True)
class Usage:
    """What to type: in a shell, in Python, in a workflow; `workflow` is empty where nothing is there to be used."""

    shell: str
    python: str
    workflow: str


def command(dashboard: Dashboard, source: Source, *words: str) -> str:
    """What to type in a shell for one repository of a dashboard: `registry`, the words, and where it is not plain from
    where one is, `--repo`. Every command that a page shows is made here."""
    where = _place(dashboard, source)
    return shlex.join(["registry", *words, *(["--repo", where] if where is not None else [])])


def first(dashboard: Dashboard, source: Source) -> list[str]:
    """How an empty registry gets its first version: at a URL there is no work tree, in which a manifest is written."""
    declare = ["init"], ["add", "my-model", "--path", "models/my-model.pkl", "--commit"]
    at_url = is_url(source.registry.repository.name)
    return [command(dashboard, source, *words) for words in (*(() if at_url else declare), ["register", "my-model"])]


def of(dashboard: Dashboard, source: Source, artifact: Artifact, held: Sequence[str], declared: Sequence[str]) -> Usage:
    """What to type for an artifact: by the last stage of its lifecycle that holds something, else by what is latest.

    `held` are the stages that hold something, `declared` those of its lifecycle, in order. Where one is declared, a
    stage outside of it is nobody's to rely on. Where nothing can be used yet, it is how to register the first version.
    """
    name = artifact.name
    there = [stage for stage in declared if stage in held] if declared else list(held)
    stage = there[-1] if there else None
    opened = repr(_place(dashboard, source) or ".")
    if stage is None and artifact.latest is None:
        return Usage(
            shell=command(dashboard, source, "register", name),
            python="\n".join(["from registry import Registry", "", f'version = Registry({opened}).register("{name}")']),
            workflow="",
        )
    selector = f"{name}#{stage}" if stage is not None else f"{name}@latest"
    wanted = stage if stage is not None else "latest"
    repo = f", repo={opened}" if opened != repr(".") else ""
    return Usage(
        shell="\n".join([
            command(dashboard, source, "resolve", selector),
            command(dashboard, source, "pull", selector, "-o", f"models/{name.rpartition(':')[2]}"),
            command(dashboard, source, "show", name),
        ]),
        python="\n".join([
            "from registry import Model, Registry",
            "",
            f'version = Model("{name}", version="{wanted}"{repo}).version',
            f'pulled = Registry({opened}).pull("{selector}")',
        ]),
        workflow=_workflow(in_tag(name), stage),
    )  # fmt: skip


def _place(dashboard: Dashboard, source: Source) -> str | None:
    """What a command must say after --repo; None for the repository that one is in."""
    where = source.registry.repository.name
    if is_url(where):
        return where
    if dashboard.static:  # read elsewhere: the directories of the machine that wrote it mean nothing there
        return source.name if len(dashboard.sources) > 1 else None
    return where if len(dashboard.sources) > 1 or not _is_here(where) else None


def _is_here(where: str) -> bool:
    try:
        return Path.cwd().is_relative_to(where)
    except OSError:  # it was removed meanwhile
        return False


def _workflow(name: str, stage: str | None) -> str:
    event, tags = ("assignment", f"{name}#{stage}#*") if stage is not None else ("registration", f"{name}@v*")
    return "\n".join([
        "on:",
        "  push:",
        f'    tags: ["{tags}"]',
        "permissions: {}",
        "jobs:",
        "  deploy:",
        "    runs-on: ubuntu-24.04",
        "    permissions:",
        "      contents: read",
        "    steps:",
        "      - uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2",
        "        with:",
        "          persist-credentials: false",
        "      - id: registry",
        f"        uses: {_ACTION}",
        "        with:",
        '          pull: "true"',
        f"      - if: steps.registry.outputs.event == '{event}' && steps.registry.outputs.current == 'true'",
        '        run: ./deploy "$VERSION"',
        "        env:",
        "          VERSION: ${{ steps.registry.outputs.version }}",
    ])  # fmt: skip
