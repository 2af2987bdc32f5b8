"""`registry show`"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from registry.cli import options, out
from registry.cli.out import Column
from registry.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from registry.core.manifest import Json
    from registry.core.trust import Proof
    from registry.porcelain.values import Artifact, ArtifactDetail, ModelVersion

    Proofs = Mapping[str, Proof]

_FEW_STAGES = 4  # so many columns fit into 80; more go into one


@options.command(paged=True)
@options.selector(required=False)
@click.option("--where", multiple=True, metavar="CONDITION", help="Such as 'metrics.auc>0.9'; may repeat.")
@click.option("--type", "kind", metavar="TYPE", help="Artifacts of that type only.")
@click.option("--label", "labels", multiple=True, metavar="LABEL", help="Those with that label; may repeat.")
@click.option("--stage", metavar="STAGE", shell_complete=options.complete_stages, help="Those in that stage.")
@click.option("--sort", metavar="KEY", help="By name, updated_at, metrics.auc, ...; -KEY for the greatest first.")
@click.option("--deprecated", is_flag=True, help="List deprecated artifacts too.")
@options.show_signature()
def command(
    call: options.Call,
    selector: str | None,
    where: tuple[str, ...],
    kind: str | None,
    labels: tuple[str, ...],
    stage: str | None,
    sort: str | None,
    deprecated: bool,
    show_signature: bool,
) -> None:
    """List the artifacts, or the versions of one.

    \b
    registry show
    registry show churn
    registry show --where 'metrics.auc>0.9' --sort -metrics.auc
    """
    if selector is not None:
        if kind is not None:
            raise UsageError("--type chooses among artifacts", "leave it out, or the selector")
        detail = call.registry.show_artifact(selector, where=where, labels=labels, stage=stage, sort=sort)
        tags = (version.tag for version in detail.versions if version.tag is not None)
        proofs = call.registry.signatures(tags) if show_signature else None
        if call.json:
            out.as_json_list("versions", (_json(version, proofs) for version in detail.versions), detail.head())
        else:
            _detail(detail, proofs)
            if out.terminal() and ("@" in selector or "#" in selector):
                for version in detail.versions:
                    _about(version)
        return
    if show_signature:
        raise UsageError("--show-signature is about one artifact's versions", "registry show NAME --show-signature")
    artifacts = call.registry.show(where=where, type=kind, labels=labels, stage=stage, sort=sort, deprecated=deprecated)
    if call.json:
        out.as_json_list("artifacts", (artifact.to_json() for artifact in artifacts))
    elif artifacts:
        _listing(artifacts)
    elif where or kind or labels or stage:
        out.say("no artifact is like that")
    else:
        out.say("there are no artifacts yet")
        out.say("hint: registry add NAME --path PATH declares one, registry init begins")


def _json(version: ModelVersion, proofs: Proofs | None) -> dict[str, Json]:
    return {**version.to_row(), **(_proof(version, proofs).to_json() if proofs is not None else {})}


def _proof(version: ModelVersion, proofs: Proofs) -> Proof:
    from registry.core.trust import UNSIGNED  # for few

    return UNSIGNED if version.tag is None else proofs[version.tag]  # a commit without a version has nothing to sign


def _listing(artifacts: list[Artifact]) -> None:
    stages = list(dict.fromkeys(stage for artifact in artifacts for stage in artifact.stages))
    wide = len(stages) <= _FEW_STAGES and out.terminal()
    columns = [
        Column("NAME", "name", give=1),
        Column("TYPE", "faint"),
        Column("LATEST", "version"),
        *([Column(stage.upper(), "version") for stage in stages] if wide else [Column("STAGES", give=1)]),
        Column("UPDATED", "faint"),
        Column("", "bad"),
        Column("DESCRIPTION", give=1),
    ]
    same = len({artifact.type for artifact in artifacts}) == 1 and artifacts[0].type == "model" and out.terminal()
    rows = []
    for artifact in artifacts:
        held = [short(artifact.stages.get(stage, "")) for stage in stages]
        joined = " ".join(f"{stage}={short(version)}" for stage, version in artifact.stages.items())
        rows.append([
            artifact.name,
            "" if same else artifact.type,
            artifact.latest or "-",
            *(held if wide else [joined]),
            (artifact.updated_at or "")[: 10 if out.terminal() else None],
            "deprecated" if artifact.deprecated else "",
            artifact.description,
        ])  # fmt: skip
    out.table(columns, rows)


def short(version: str) -> str:
    """A version as text, a commit as seven digits."""
    return version if version.startswith("v") else version[:7]


def _detail(detail: ArtifactDetail, proofs: Proofs | None) -> None:
    summary = detail.summary
    if out.terminal():
        out.heading(summary.name + (" (deprecated)" if summary.deprecated else ""))
        out.field("description", summary.description)
        out.field("type", summary.type)
        out.field("path", summary.path or "")
        out.field("labels", ", ".join(summary.labels))
        if not summary.declared:
            out.field("declared", "not in the manifest at HEAD")
        out.line("")
    if not detail.versions:
        out.say("no version is like that" if summary.latest else "it has no versions yet")
        if not summary.latest:
            out.say(f"hint: registry register {summary.name} makes the first one")
        return
    columns = [
        Column("VERSION", "version"),
        Column("#", right=True),
        Column("STAGES", "good", give=2),
        Column("COMMIT", "faint"),
        Column("DATE", "faint"),
        Column("BY", give=1),
        *([Column("SIGNED BY", "good")] if proofs is not None else []),
        Column("", "bad"),
        Column("METRICS", give=1),
    ]
    out.table(columns, (_row(version, proofs) for version in detail.versions))


def _about(version: ModelVersion) -> None:
    """All else that is known of a version that was asked for by itself."""
    known = version.metadata
    out.line("")
    out.field("message", version.message)
    out.field("description", known.description or "")
    for name in ("params", "tags", "deployments"):
        out.field(name, " ".join(f"{key}={value}" for key, value in getattr(known, name).items()))
    out.field("labels", ", ".join(known.labels))
    out.field("uses", ", ".join(known.uses))
    out.field("run", " ".join(dict.fromkeys(filter(None, (known.run, known.run_url)))))
    for file in known.artifacts:
        digest = f" sha256:{file.sha256[:12]}" if file.sha256 is not None else ""
        out.field("file", f"{file.path}{digest}" + (f" {out.size(file.size)}" if file.size is not None else ""))


def _row(version: ModelVersion, proofs: Proofs | None) -> list[str]:
    return [
        short(version.version),
        "" if version.number is None else str(version.number),
        " ".join(version.stages),
        version.commit[:7],
        (version.registered_at or "")[: 10 if out.terminal() else None],
        version.registered_by or "",
        *([_proof(version, proofs).brief] if proofs is not None else []),
        "" if version.active else "deregistered",
        " ".join(f"{name}={value}" for name, value in version.metadata.metrics.items()),
    ]
