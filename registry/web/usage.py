"""How to use an artifact: the very commands, Python and workflow lines to copy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from shlex import quote

from registry.core.names import in_tag
from registry.plumbing.address import is_url
from registry.porcelain.values import Artifact
from registry.web.page import Source

_ACTION = "git-registry/git-registry@HASH"


@dataclass(frozen=True, slots=True)
class Usage:
    """What to type: in a shell, in Python, in a workflow."""

    shell: str
    python: str
    workflow: str


def of(source: Source, artifact: Artifact, held: Sequence[str]) -> Usage:
    """What to type for an artifact: by the last stage of its lifecycle that holds something, else by what is latest."""
    name = artifact.name
    stage = held[-1] if held else None
    selector = f"{name}#{stage}" if stage is not None else f"{name}@latest"
    wanted = stage if stage is not None else "latest"
    # In a repository of one's own the commands are typed there; another one is named.
    where = source.registry.repository.name
    there = f" --repo {quote(where)}" if is_url(where) else ""
    opened = repr(where) if is_url(where) else '"."'
    repo = f", repo={where!r}" if is_url(where) else ""
    return Usage(
        shell="\n".join([
            f"registry resolve '{selector}'{there}",
            f"registry pull '{selector}'{there} -o models/{name.rpartition(':')[2]}",
            f"registry show {name}{there}",
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
        f"        uses: {_ACTION}",
        "        with:",
        '          pull: "true"',
        f"      - if: steps.registry.outputs.event == '{event}' && steps.registry.outputs.current == 'true'",
        '        run: ./deploy "$VERSION"',
        "        env:",
        "          VERSION: ${{ steps.registry.outputs.version }}",
    ])  # fmt: skip
