"""How to use an artifact: the very commands, Python and workflow lines to copy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from registry.core.names import in_tag
from registry.plumbing.address import is_url
from registry.porcelain.values import Artifact
from registry.web import shell
from registry.web.page import Dashboard, Source

_ACTION = "git-registry/git-registry@HASH"


@dataclass(frozen=True, slots=True)
class Usage:
    """What to type: in a shell, in Python, in a workflow; `workflow` is empty where nothing is there to be used."""

    shell: str
    python: str
    workflow: str


def command(dashboard: Dashboard, source: Source, verb: str, *words: str, options: Sequence[str] = ()) -> str:
    """What to type in a shell for one repository of a dashboard."""
    return shell.command(verb, words, options, place(dashboard, source))


def place(dashboard: Dashboard, source: Source) -> str | None:
    """What a command must say after --repo: the absolute path, or the URL, for it may be pasted anywhere; None for the
    repository that one is in."""
    where = source.registry.repository.name
    if is_url(where):
        return where
    several = len(dashboard.sources) > 1
    if dashboard.static:  # read elsewhere: the directories of the machine that wrote it mean nothing there
        return source.name if several else None
    return where if several or source.named else None


def first(dashboard: Dashboard, source: Source) -> list[str]:
    """How an empty registry gets its first version: at a URL there is no work tree, in which a manifest is written."""
    declare = [
        command(dashboard, source, "init"),
        command(dashboard, source, "add", "my-model", options=("--path", "models/my-model.pkl", "--commit")),
    ]
    at_url = is_url(source.registry.repository.name)
    return [*([] if at_url else declare), command(dashboard, source, "register", "my-model")]


def of(dashboard: Dashboard, source: Source, artifact: Artifact, held: Sequence[str], declared: Sequence[str]) -> Usage:
    """What to type for an artifact: by the last stage of its lifecycle that holds something, else by what is latest.

    `held` are the stages that hold something, `declared` those of its lifecycle, in order. Where one is declared, a
    stage outside of it is nobody's to rely on. Where nothing can be used yet, it is how to register the first version.
    """
    name = artifact.name
    there = [stage for stage in declared if stage in held] if declared else list(held)
    stage = there[-1] if there else None
    opened = repr(place(dashboard, source) or ".")
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
            command(dashboard, source, "pull", selector, options=("-o", f"models/{name.rpartition(':')[2]}")),
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
        f"        uses: {_ACTION} # pin the release's full hash",
        "        with:",
        '          pull: "true"',
        f"      - if: steps.registry.outputs.event == '{event}' && steps.registry.outputs.current == 'true'",
        '        run: ./deploy "$VERSION"',
        "        env:",
        "          VERSION: ${{ steps.registry.outputs.version }}",
    ])  # fmt: skip
