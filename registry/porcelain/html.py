"""Values as HTML, for notebooks: tables of words, in the notebook's own colours.

Everything in them was written by strangers: every text is escaped, made fit to be shown and cut where it is long, rows
are bounded, and there is no script, no link, no image, and no colour. Every text stands in `<code>`, where MathJax
takes no `$` for a formula: of TeX that a stranger wrote it would make links, and whatever else TeX can.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

from registry.core.text import safe
from registry.errors import RegistryError

if TYPE_CHECKING:
    from registry.core.metadata import Scalar
    from registry.porcelain.values import Artifact, ArtifactDetail, ModelVersion
    from registry.repository import Repository

ROWS = 50  # of a table; how many more there are is said
_PAIRS = 12  # metrics, parameters, stages in one cell
_LONGEST = 200  # characters of a text
_PLAIN = ' style="font: inherit; background: none; border: none; padding: 0; white-space: normal"'  # words, no program
_LEFT = ' style="text-align: left; vertical-align: top"'


def page(made: Callable[[], str], name: str) -> str:
    """What `made` makes, or, where there is nothing to be shown, why: a notebook would print a traceback."""
    try:
        return made()
    except RegistryError as error:
        hint = f"<br>{_text(error.hint)}" if error.hint else ""
        return _div(f"<p>{_code(name)}</p><p>{_text(error.message)}{hint}</p>")


def _div(inside: str) -> str:
    return f'<div class="tex2jax_ignore mathjax_ignore">{inside}</div>'


def artifacts(name: str, found: Sequence[Artifact]) -> str:
    """A listing."""
    rows = [_artifact(one) for one in found[:ROWS]]
    heads = ("artifact", "type", "latest", "stages", "versions", "updated", "description")
    return _div(f"<p>{_code(name)}: {_count(len(found), 'artifact')}</p>{_table(heads, rows, len(found))}")


def detail(found: ArtifactDetail) -> str:
    """One artifact with its versions."""
    one = found.summary
    said = " ".join(["deprecated" if one.deprecated else "", one.description]).strip()
    head = f"<p>{_code(one.name)} ({_text(one.type)}){': ' if said else ''}{_text(said)}</p>"
    return _div(f"{head}{_versions(found.versions[:ROWS], len(found.versions))}")


def version(one: ModelVersion) -> str:
    """One version."""
    return _div(_version(one))


def model(repository: Repository, one: ModelVersion) -> str:
    """One version, and all of its artifact, the greatest first."""
    from registry.porcelain import views

    state = repository.existing(one.artifact)
    ordered = sorted(state.versions.values(), key=lambda v: (v.version.precedence, v.position), reverse=True)
    found = views.version_views(repository, [(state, v) for v in ordered[:ROWS]])
    return _div(f"{_version(one)}{_versions(found, len(ordered))}")


def _version(one: ModelVersion) -> str:
    known = one.metadata
    place = f"number {one.number}" if one.number is not None else "a commit without a version"
    rows = {
        "state": "" if one.active else "deregistered",
        "stages": _listed(one.stages),
        "registered": " ".join(filter(None, [_day(one.registered_at), _text(one.registered_by)])),
        "commit": _code(one.commit[:12]),
        "path": _code(one.path) if one.path else "",
        "description": _text(one.description),
        "message": _text(one.message),
        "metrics": _pairs(known.metrics),
        "params": _pairs(known.params),
        "tags": _pairs(known.tags),
        "labels": _listed(known.labels),
        "made from": _listed(known.uses),
        "run": _text(known.run),
    }
    body = "".join(f"<tr><th{_LEFT}>{key}</th><td{_LEFT}>{said}</td></tr>" for key, said in rows.items() if said)
    name = _code(f"{one.artifact}@{one.version}")
    return f"<p>{name} ({_text(one.type)}, {place})</p><table><tbody>{body}</tbody></table>"


def _versions(found: Sequence[ModelVersion], total: int) -> str:
    rows = [_row(one) for one in found]
    return _table(("version", "number", "stages", "registered", "by", "metrics", "message"), rows, total)


def _artifact(one: Artifact) -> tuple[str, ...]:
    name, stages, updated = _code(one.name), _pairs(one.stages), _day(one.updated_at)
    return name, _text(one.type), _text(one.latest), stages, str(one.versions), updated, _text(one.description)


def _row(one: ModelVersion) -> tuple[str, ...]:
    stages = _listed(one.stages) if one.active else "deregistered"
    registered = _day(one.registered_at), _text(one.registered_by)
    return (
        _code(one.version),
        str(one.number or ""),
        stages,
        *registered,
        _pairs(one.metadata.metrics),
        _text(one.message),
    )


def _table(heads: Iterable[str], rows: Sequence[Iterable[str]], total: int) -> str:
    if not rows:
        return ""
    head = "".join(f"<th{_LEFT}>{name}</th>" for name in heads)
    body = "".join(f"<tr>{''.join(f'<td{_LEFT}>{cell}</td>' for cell in row)}</tr>" for row in rows)
    more = f"<p>and {total - len(rows):,} more</p>" if total > len(rows) else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")


def _text(said: str | None) -> str:
    return _plain(_escaped(said)) if said else ""


def _plain(escaped: str) -> str:
    return f"<code{_PLAIN}>{escaped}</code>"


def _code(said: str | None) -> str:
    return f"<code>{_escaped(said or '')}</code>"


def _escaped(said: str) -> str:
    cut = said[:_LONGEST] + ("…" if len(said) > _LONGEST else "")
    return escape(" ".join(safe(line) for line in cut.splitlines()))


def _day(said: str | None) -> str:
    return _text((said or "")[:10])


def _listed(said: Sequence[str]) -> str:
    more = [f"and {len(said) - _PAIRS:,} more"] if len(said) > _PAIRS else []
    return ", ".join([*map(_text, said[:_PAIRS]), *more])


def _pairs(said: Mapping[str, Scalar] | Mapping[str, str]) -> str:
    shown = [_plain(f"{_escaped(key)}: {_escaped(_spelt(value))}") for key, value in list(said.items())[:_PAIRS]]
    more = [f"and {len(said) - _PAIRS:,} more"] if len(said) > _PAIRS else []
    return ", ".join([*shown, *more])


def _spelt(value: Scalar) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
