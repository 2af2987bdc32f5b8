"""`delete`: real deletion of tags, which no history remembers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from registry.core import names
from registry.core.events import event_of
from registry.errors import NotFound, UsageError
from registry.plumbing import tags
from registry.porcelain import views
from registry.porcelain.values import Written
from registry.repository import Repository
from registry.writing.clone import writing
from registry.writing.pushing import unpublish
from registry.writing.values import Way


def find(repository: Repository, wanted: Sequence[str]) -> list[tags.TagRecord]:
    """The tags of that name. Raises NotFound for one that is not there, UsageError for one that is not ours."""
    records = []
    parsed = [names.parse_tag(text.removeprefix(tags.PREFIX)) for text in wanted]
    repository.about(*sorted({name.artifact for name in parsed if name is not None}))
    for text in wanted:
        name = text.removeprefix(tags.PREFIX)
        if names.parse_tag(name) is None:
            hint = "such as churn@v1.2.0: registry history lists them; git tag -d deletes other tags"
            raise UsageError(f"{name} is not a registry tag", hint)
        found = [record for record in tags.read_tags(repository.git, [tags.PREFIX + name]) if record.name == name]
        if not found:
            raise NotFound(f"there is no tag {name}", "registry history lists the tags of every event")
        records += found
    return records


def delete(repository: Repository, wanted: Sequence[str], way: Way, waiting: Callable[[], None]) -> Written:
    """Delete tags, all or none. A damaged tag in our format can be deleted too; it is no event, so none is given."""
    records = find(repository, wanted)
    if not records:
        return Written()
    events = [event_of(record.name, record.oid, record.raw) for record in records if record.raw is not None]
    gone = [event for event in events if event is not None]
    seen = [
        view
        for name in sorted({event.artifact for event in gone})
        for view in views.events_view(repository.state(name), [event for event in gone if event.artifact == name])
    ]
    artifacts = sorted({parsed.artifact for r in records if (parsed := names.parse_tag(r.name)) is not None})
    away = (way.push or repository.pushes) and not way.dry_run
    local = replace(way, push=False, offline=True)  # what is deleted is here
    with writing(repository, artifacts[0], waiting, local, new=True) as now:
        if away and now.held is not None:
            unpublish(now.held, repository, repository.remote(way.remote), artifacts, records)
        now.delete(records)
    return Written(tuple(seen))
