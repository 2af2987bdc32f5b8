"""What parses bytes that others wrote, a function each: it raises where what its first line says does not hold.

Several texts in one input stand apart by NUL, which is in none of the formats.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import astuple
from datetime import datetime
from html.parser import HTMLParser
from io import StringIO
from itertools import pairwise
from pathlib import Path

import semver
from markdown_it import MarkdownIt

from registry.action import changes, runner, say
from registry.action.gh import Gh
from registry.artifacts import dvc, dvc_config, paths
from registry.core import chain, desired, message, metadata, names, push, review, select, signers, trust
from registry.core import version as versions
from registry.core.desired import Means, Wish
from registry.core.diagnosis import damaged_tag, sick_artifacts
from registry.core.draft import DAY, Draft, Laid, lay
from registry.core.events import (
    Amendment,
    Event,
    Registration,
    Signatory,
    build,
    event_of,
    parse_object,
    parse_signatory,
)
from registry.core.facts import facts_of, image_name, image_tag, stages_now
from registry.core.gates import Evidence
from registry.core.lfs import parse_pointer
from registry.core.manifest import Declaration, Json, Manifest, StageRule, VersionRules
from registry.core.message import MAGIC
from registry.core.names import MAX_COUNTER, Form, parse_tag
from registry.core.overview import overview
from registry.core.ranges import parse_range
from registry.core.select import Selected, Selector
from registry.core.state import ArtifactState, VersionState, fold
from registry.errors import GitFailed, ManifestError, NotFound, Refused, RegistryError, StoreFailed, UsageError
from registry.manifests import cards, check, documents, edit, read
from registry.manifests.documents import DocumentError, Items, Node, Table
from registry.manifests.files import Files
from registry.manifests.pipeline import named_files, named_for
from registry.markdown import block, code, table
from registry.plumbing import cache, kept, remote, tags, trees
from registry.plumbing.address import Address
from registry.plumbing.process import failure, without_password
from registry.plumbing.signatures import taken_apart
from registry.porcelain import hook
from registry.porcelain.reading import parse_condition
from registry.porcelain.values import metadata_json
from registry.web import card, fields, hosting, links, server
from registry.web.actions import ACTIONS
from registry.web.guard import Denied
from tests.core.build import commit, event, state

ANA = Signatory("Ana", "ana@example.com", 1000, 0)
CHURN = state(
    event("churn@v1.0.0", 1, commit(1)),
    event("churn@v1.2.0", 2, commit(2), ("Counter: 2", "Number: 7", "Metric: auc=0.9")),
    event("churn@v1.3.0-rc.1+b.2", 3, commit(3)),
    event("churn@v2.0.0", 4, commit(4)),
    event("churn@v2.0.0!#5", 5, commit(4)),
    event("churn#production#6", 6, commit(1)),
    event("churn#staging#7", 7, commit(9)),
)


def _typed(data: bytes) -> str:
    """As Python gives what stands on a command line."""
    return data.decode(errors="surrogateescape")


def _texts(data: bytes, count: int) -> list[str]:
    return [*_typed(data).split("\0", count - 1), *[""] * count][:count]


def _json(value: object) -> str:
    """As every `--json` prints it, with numbers that JSON knows and no others."""
    return json.dumps(value, allow_nan=False)


# -- tags --------------------------------------------------------------------------------------------------------------


def tag_object(data: bytes) -> None:
    """A tag object is an event under the name that it says, or `doctor` says why not."""
    found = parse_object(data)
    name = "churn@v1.0.0" if found is None else found.tag
    read_ = event_of(name, "oid", data)
    parsed = parse_tag(name)
    if parsed is None or parsed.form is Form.CREATION:
        assert read_ is None
    else:
        assert (read_ is None) == (damaged_tag(name, "tag", data) is not None)
    if read_ is not None:
        assert (read_.tag, read_.commit) == (name, found and found.object)
        assert parsed is not None
        assert read_.artifact == parsed.artifact
        _check_event(read_)
        _check_state(fold(read_.artifact, [read_]))


def tag_listing(data: bytes) -> None:
    """Whatever the objects hold, as many records come out of Git's listing as went in, each with its own bytes."""
    raws = data.split(b"\0")
    listing = b"".join(b"tag %040x refs/tags/t%d %d\n%b\n" % (n, n, len(raw), raw) for n, raw in enumerate(raws))
    found = list(tags._records(listing, tags.PREFIX))
    assert [(one.name, one.raw) for one in found] == [(f"t{n}", raw) for n, raw in enumerate(raws)]
    for event_ in tags.events_of(tags.TagRecord(_inner(one), one.oid, one.type, one.raw) for one in found):
        _check_event(event_)


def _inner(record: tags.TagRecord) -> str:
    found = parse_object(record.raw or b"")
    return "" if found is None else found.tag


def signatory(data: bytes) -> None:
    """Any tagger has a date that ISO 8601 can say."""
    for who in (parse_signatory(_typed(data)), parse_signatory(f"A <a> {_typed(data)}")):
        assert datetime.fromisoformat(who.iso).tzinfo is not None


def history(data: bytes) -> None:
    """Events are folded into one state, in whatever order they come; what is written upon it counts."""
    events = list(_events(data))
    if not events:
        return
    name = events[0].artifact
    found = fold(name, events)
    for other in (fold(name, reversed(events)), fold(name, sorted(events, key=lambda one: one.tag))):
        assert (other.events, other.versions) == (found.events, found.versions)
        assert (other.subjects, other.holdings) == (found.subjects, found.holdings)
    _check_state(found)
    _check_write(found)


def _events(data: bytes) -> Iterator[Event]:
    """A line each: the tag's name, seconds, a digit for the commit, and keys, by tabs. Those of one artifact."""
    found: dict[str, Event] = {}
    for line in data.decode(errors="replace").split("\n")[:12]:
        tag, seconds, where, *keys = [*line.split("\t"), "", ""]
        name = parse_tag(tag)
        if name is None or name.form is Form.CREATION:
            continue
        if found and next(iter(found.values())).artifact != name.artifact:
            continue
        at = parse_signatory(f"A <a> {seconds} +0000").seconds
        found.setdefault(tag, event(tag, at, commit(ord(where[:1] or "1") % 4), tuple(key for key in keys if key)))
    yield from found.values()


def _check_event(found: Event) -> None:
    assert str(parse_tag(found.tag)) == found.tag
    assert found.counter is None or 0 < found.counter <= MAX_COUNTER
    assert datetime.fromisoformat(found.by.iso).tzinfo is not None
    assert "\n" not in found.message.subject
    _json(metadata_json(metadata.of_event(found)))


def _check_state(found: ArtifactState) -> None:
    numbers = [one.number for one in found.versions.values()]
    assert len(set(numbers)) == len(numbers)
    assert all(number > 0 for number in numbers)
    for stage, holders in found.holdings.items():
        assert found.stages[stage] == holders[0].subject
        for one in holders:
            assert stage in found.stages_of(one.subject)
            known = found.versions.get(one.subject)
            assert one.subject == one.since.commit if known is None else known.active
        assert select.select(found, Selector(found.name, stage=stage)).subject == holders[0].subject
        found.before(stage)
    for greatest in (found.latest, found.stable, found.newest):
        assert greatest.active if greatest is not None else all(one.version.is_prerelease for one in found.active)
    for known in found.versions.values():
        assert found.greatest_ever is not None
        assert known.version.precedence <= found.greatest_ever.precedence
        for what in (known.name, str(known.number)):
            with suppress(NotFound):
                assert select.select(found, select.parse(f"{found.name}@{what}")).version == known
                assert known.active
        _json(metadata_json(known.metadata))
    told = [facts for one in found.events if (facts := facts_of(found, one.tag)) is not None]
    assert [facts.event for facts in told] == list(found.events)
    _json([facts.to_json() for facts in told])
    _json([one.to_json() for one in stages_now(found, told)])
    list(sick_artifacts({found.name: found}, 0))
    said = overview(found)
    assert cache._read(json.loads(json.dumps(astuple(said)))) == said


def _check_write(found: ArtifactState) -> None:
    """A new version, assigned: its tags read back as they were meant, and count, whatever stood there before."""
    version = "v999999999.0.0"
    if found.greatest_ever is None or found.greatest_ever.precedence >= versions.check(version).precedence:
        return
    drafts = [
        Draft(Form.REGISTRATION, found.name, commit(7), "Register", version),
        Draft(Form.ASSIGNMENT, found.name, commit(7), "Assign", stage="prod", keys=(("Version", version),)),
    ]
    try:
        laid = lay(found, drafts, ANA)
    except Refused:
        assert found.counter > MAX_COUNTER - 2
        return
    for one in laid:
        assert event_of(one.event.tag, one.event.oid, one.raw) == one.event
    if all(one.by.seconds <= ANA.seconds + DAY for one in found.events):  # a clock far ahead is not followed
        new = found.with_events(one.event for one in laid)
        assert new.counter == found.counter + 2
        assert (new.newest and new.newest.name, new.latest and new.latest.name) == (version, version)
        assert new.stages["prod"] == version
        assert not new.deprecated


def signed_tag(data: bytes) -> None:
    """Whatever stands around signatures: the words that are read are among those that were signed."""
    head = f"object {commit(1)}\ntype commit\ntag churn@v1.0.0\ntagger A <a@b> 1 +0000\n".encode()
    for raw in (data, head + data, head + b"\n" + data):
        found, parts = parse_object(raw), taken_apart(raw)
        if found is None:
            assert parts is None
            continue
        read_ = message.parse(found.message)
        if parts is None:
            assert not read_.signed
            continue
        assert parts.payload + parts.signature == raw
        assert parts.email == found.tagger.email
        if read_.signed:
            alone = parse_object(parts.payload)
            assert alone is not None
            assert (alone.object, alone.tag, alone.tagger) == (found.object, found.tag, found.tagger)
            whole = raw.partition(b"\n\n")[2]
            length = len(whole) - len(parts.signature)
            # As bytes, for what is signed may be UTF-8 where the signature is not.
            kept = whole[:length].decode("latin-1")
            assert message.parse(whole.decode("latin-1")).text in kept
            if read_.ours:
                assert read_.text in found.message


def judged_history(data: bytes) -> None:
    """Any history is judged: the same for each event whatever else is judged, and no proof is better than a proof."""
    events = list(_events(data))
    if not events:
        return
    found = fold(events[0].artifact, events)
    whole = [*trust.judge(found, _POLICY, lambda one: trust.Proof(one.by.email))]
    for one in events:
        mine = [*trust.judge(found, _POLICY, lambda each: trust.Proof(each.by.email), {one.oid})]
        assert mine == [breach for breach in whole if breach.event is one]
    nobody = {breach.event.oid for breach in trust.judge(found, _POLICY, lambda _: trust.UNSIGNED)}
    assert {breach.event.oid for breach in whole} <= nobody
    assert all(breach.why and "\n" not in breach.why for breach in whole)
    for place in [*chain.breaks(found), *(end for each in events for end in chain.strayed(found, each.oid))]:
        assert place.why
        assert place.event is None or place.event in found.events
    # What a server takes, one after the other, is a whole chain.
    taken = fold(found.name, [])
    for one in events:
        after = taken.with_events([one])
        if not [*push.objections(taken, after, [one], one.by.seconds)]:
            taken = after
    assert not [*chain.breaks(taken)]


_POLICY = Manifest(
    stages={
        "prod": StageRule("prod", after="dev", exclusive=True, allow=("a",), signed=True, approvals=1),
        "dev": StageRule("dev", approvals=1),
    },
    versions=VersionRules(signed=True, overwrite=False),
)


def trusted_files(data: bytes) -> None:
    """The files of `.registry/`: every line is read or told, as ssh-keygen counts them, and a baseline comes back."""
    text = data.decode(errors="replace")
    lines = text.count("\n") + 1
    for one in signers.remarks(text):
        assert 1 <= one.line <= lines
        assert one.message
    moments = signers.dates(text)
    assert moments is None or all(re.fullmatch("[0-9]{14}", moment) for moment in moments)
    found, wrong = signers.accepted(text)
    assert all(1 <= one.line <= lines for one in wrong)
    assert signers.accepted(signers.baseline(found)) == (found, [])
    for tag, oid in found.items():
        assert f"{tag} {oid}" in text


def pushed_refs(data: bytes) -> None:
    """What Git tells its hook is read ref by ref, whatever they are called, or refused."""
    try:
        found = hook.parse(data)
    except UsageError:
        pass
    else:
        lines = [f"{one.old or '0' * 40} {one.new or '0' * 40} {one.ref}" for one in found]
        assert len(lines) == len(data.removesuffix(b"\n").split(b"\n") if data else ())
    for name in _typed(data).split("\n")[:3]:
        line = f"{'0' * 40} {'a' * 40} refs/heads/{name}\n".encode(errors="surrogateescape")
        assert hook.parse(line * 2) == [hook.Update(f"refs/heads/{name}", None, "a" * 40)] * 2


def text_of_message(data: bytes) -> None:
    """A message that is composed is read back as it was meant, and a message of anybody's is read."""
    whole = _typed(data)
    found = message.parse(whole)
    assert "\n" not in found.subject
    assert found.ours or not found.keys
    subject, body, *said = _texts(data, 6)
    pairs = [("Label", said[0]), ("Reason", said[1]), ("Label", said[2]), (said[3], "x")]
    for keys in ([], pairs[:3], pairs):
        try:
            text = message.compose(subject, body, keys)
        except UsageError:
            continue
        back = message.parse(text)
        expected: dict[str, list[str]] = {}
        for key, value in keys:
            expected.setdefault(key, []).append(value.strip())
        assert back.ours
        assert not back.signed
        assert {key: list(values) for key, values in back.keys.items()} == expected
        assert back.subject == subject.strip()
        assert back.body == body.replace("\r\n", "\n").strip("\n")


def keys_of_version(data: bytes) -> None:
    """Keys are metadata that JSON can say; what is carried to another repository says the same there."""
    first, second = (message.parse(f"x\n\n{MAGIC}\n{text}").keys for text in _texts(data, 2))
    registration, amendment = _event("churn@v1.0.0", first), _event("churn@v1.0.0=#2", second)
    assert isinstance(registration, Registration)
    assert isinstance(amendment, Amendment)
    found = metadata.gather(registration, [amendment])
    _json(metadata_json(found))
    carried: dict[str, tuple[str, ...]] = {}
    for key, value in metadata.overlaid(registration, [amendment]):
        carried[key] = (*carried.get(key, ()), value)
    assert metadata.read(carried) == found
    found.over({"auc": 1}, {"depth": None}, "words")
    for text in [value for values in (*first.values(), *second.values()) for value in values]:
        number = metadata.number(text)
        assert metadata.number(metadata.spell(number)) == number
        _json(number)
        file = metadata.parse_file(text)
        assert file is None or metadata.parse_file(metadata.spell_file(file)) == file


def _event(tag: str, keys: message.Keys) -> Event:
    parsed = parse_tag(tag)
    assert parsed is not None
    return build(parsed, f"oid of {tag}", commit(1), ANA, message.Message("", keys, ours=True, signed=False))


# -- names, and what is typed ------------------------------------------------------------------------------------------


def name(data: bytes) -> None:
    """What is read as a name is written the same, in tags, in addresses and for container registries."""
    text = _typed(data)
    damaged_tag(text, "commit", None)
    tag = parse_tag(text)
    if tag is not None:
        assert str(tag) == text
        assert names.is_artifact(tag.artifact)
        assert tag.stage is None or names.is_stage(tag.stage)
        assert tag.version is None or versions.parse(tag.version) is not None
        assert tag.counter is None or 0 < tag.counter <= MAX_COUNTER
        names.travel_problem(text)
    if names.is_artifact(text):
        again = parse_tag(f"{names.in_tag(text)}@v1.0.0")
        assert again is not None
        assert again.artifact == text
        assert re.fullmatch(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*",
                            image_name(text))  # fmt: skip
        for address in (links.model("here", text), links.history("here", text), links.version("here", text, "v1.0.0")):
            stem, page = links.split(address) or ("", 0)
            place = links.parse(stem)
            assert page == 1
            assert place is not None
            assert (place.slug, place.artifact) == ("here", text)
    if names.is_stage(text):
        again = parse_tag(f"m#{text}!")
        assert again is not None
        assert again.stage == text
    for known, check_ in ((names.is_artifact, names.check_artifact), (names.is_stage, names.check_stage)):
        try:
            check_(text)
        except UsageError:
            assert not known(text)


def version(data: bytes) -> None:
    """Versions have SemVer's order, and a bump goes up."""
    found = []
    for text in _texts(data, 3):
        try:
            found.append(versions.check(text))
        except UsageError:
            assert versions.parse(text) is None
    for one in found:
        assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", image_tag(one.text))
        for part in ("major", "minor", "patch"):
            for pre in (None, "rc"):
                with suppress(UsageError):
                    assert versions.bump(one, part, pre).precedence > one.precedence
    for one, other in pairwise(found):
        if len(one.text) + len(other.text) < 1000:  # int() takes no more digits than some thousand
            ours = (one.precedence > other.precedence) - (one.precedence < other.precedence)
            assert ours == semver.Version.parse(one.text[1:]).compare(other.text[1:])


def selector(data: bytes) -> None:
    """A selector, a range, a condition: taken as it was typed, or refused in words."""
    text = _typed(data)
    with suppress(UsageError):
        parsed = select.parse(text)
        assert str(parsed) == text
        for one in (parsed, Selector("churn", parsed.what, parsed.stage)):
            with suppress(NotFound, UsageError):
                _check_selected(select.select(CHURN, one))
    for typed in (f"churn@{text}", f"churn#{text}"):
        with suppress(NotFound, UsageError):
            _check_selected(select.select(CHURN, select.parse(typed)))
    with suppress(NotFound, UsageError):
        _check_selected(select.select(CHURN, select.parse(select.selector_of("churn", text))))
    with suppress(UsageError):
        wanted = parse_range(text)
        assert not any(wanted.allows(one.version) for one in CHURN.active if one.version.is_prerelease) or "-" in text
    with suppress(UsageError):
        condition = parse_condition(text)
        for value in (None, 0.9, 3, "word", versions.check("v1.0.0")):  # as `lookup` gives them
            condition.holds(value)


def _check_selected(found: Selected) -> None:
    assert found.version is None or found.version.active
    assert found.artifact == CHURN.name


# -- files of a commit -------------------------------------------------------------------------------------------------


def document(data: bytes) -> None:
    """YAML is a node, with places inside of the text and values that JSON can say, or one DocumentError."""
    duplicates: list[DocumentError] = []
    try:
        root = documents.parse(data)
    except DocumentError as error:
        _check_place(data, error.line, error.column)
        with suppress(DocumentError):
            documents.parse(data, duplicates)
            assert duplicates
        return
    _json(documents.plain(root))
    _check_nodes(data, root)
    documents.aliases(data)
    again = documents.plain(documents.parse(data, duplicates))
    assert again == documents.plain(root)
    assert not duplicates


def _check_nodes(data: bytes, root: Node) -> None:
    left: list[Node] = [root]
    for _ in range(1000):
        if not left:
            return
        node = left.pop()
        _check_place(data, node.line, node.column)
        assert (node.line, node.column) <= (node.end_line, node.end_column)
        if isinstance(node, Table):
            assert list(node.keys) == list(node.values)
            left += [*node.keys.values(), *node.values.values()]
        elif isinstance(node, Items):
            left += node.items


def _check_place(data: bytes, line: int, column: int) -> None:
    lines = re.split("\r\n|[\r\n\x85\u2028\u2029]", data.decode(errors="replace"))
    assert 1 <= line <= len(lines) + 1
    assert 1 <= column <= max(map(len, lines)) + 2


MANIFESTS = ("registry.yaml", "cv/registry.yaml", "dvc.yaml", "cv/dvc.yaml", "artifacts.yaml", ".gto")


class _Nowhere(Files):
    """A tree without any file."""

    def has(self, path: str) -> bool:
        return path == "models"

    def is_directory(self, path: str) -> bool:
        return path == "models"

    def led(self, path: str) -> str:
        return path

    def names_in(self, directory: str) -> Sequence[str]:
        return ["models"] if directory == "" else []

    def dvc_files_in(self, directory: str) -> Mapping[str, bytes]:  # noqa: ARG002
        return {}


def manifests(data: bytes) -> None:
    """Manifests are always read, `check` says all that is wrong with them, and what they want can be planned."""
    files = dict(zip(MANIFESTS, data.split(b"\0"), strict=False))
    found = read.read(files)
    problems = check.checked(_Nowhere(files), files, lambda _: ["v1.0.0"]).problems
    for one in problems:
        assert one.path in files
        assert one.message.isprintable()
        assert one.hint.isprintable()
        _check_place(files[one.path], one.line, one.column)
    if not any(one.severity == "error" for one in problems):
        assert not found.broken
        assert not found.doubts
    assert found.names == tuple(found.artifacts)
    for full in [*found.artifacts][:20]:
        _check_declared(found, found.artifacts[full], files)
    _check_course(found)
    assert review.changes(found, found) == []
    changed = [*review.changes(Manifest(), found), *review.changes(found, Manifest())]
    _json([one.to_json() for one in changed])
    review.counts(changed)
    review.lines(changed)


def _check_declared(found: Manifest, said: Declaration, files: Mapping[str, bytes]) -> None:
    assert names.is_artifact(said.name)
    assert said.source in files
    assert said.version is None or versions.parse(said.version) is not None
    _json(review.entry(said))
    _json(said.metadata)
    for path in (said.path, *said.metrics, *said.params, *said.artifacts.values()):
        if path is not None and not read.is_url(path):
            assert not path.startswith(("/", "../"))
            assert path != ".."
    # For one artifact, only the files of its directory and of the root are read.
    near = {*read.manifest_paths(names.directory_of(said.name)), *read.manifest_paths("")}
    alone = read.read({path: content for path, content in files.items() if path in near})
    assert alone.artifacts[said.name] == said
    assert alone.lifecycle(said.name) == found.lifecycle(said.name)
    assert alone.version_rules(said.name) == found.version_rules(said.name)


def _check_course(found: Manifest) -> None:
    few = Manifest(found.stages, found.versions, found.teams, dict([*found.artifacts.items()][:5]),
                   found.files, found.broken, found.doubts, found.names)  # fmt: skip
    for wish in desired.wishes(few):
        assert wish.stands_in(few)
    course = desired.course(few, {full: _known(full) for full in few.artifacts}, MEANS)
    assert {step.wish for step in course.steps} <= set(desired.wishes(few))
    for full, drafts in course.drafts().items():
        assert all(event_of(one.event.tag, one.event.oid, one.raw) == one.event for one in _laid(full, drafts))


def _laid(full: str, drafts: Sequence[Draft]) -> list[Laid]:
    return lay(_known(full), drafts, ANA)


def _known(full: str) -> ArtifactState:
    tag = names.in_tag(full)
    there = [event(f"{tag}@v1.0.0", 1, commit(1)), event(f"{tag}@v1.1.0", 2, commit(2), ours=True)]
    return fold(full, [*there, event(f"{tag}#production#2", 3, commit(1)), event(f"{tag}#staging#3", 4, commit(2))])


def _registration(wish: Wish, known: ArtifactState) -> tuple[Draft, list[str]]:
    return Draft(Form.REGISTRATION, known.name, commit(8), f"Register {wish.version}", wish.version), []


def _shown(_: str, known: VersionState) -> Evidence:
    return Evidence({"auc": 0.95 if known.name == "v1.1.0" else 0.9, "f1": "x"}, card=False)


MEANS = Means(_registration, ANA, lambda _: (), _shown, compare=True)


def edits(data: bytes) -> None:
    """A manifest is edited, and says the same but for that one change, or is refused."""
    text, description = _texts(data, 2)
    with suppress(ManifestError, UsageError):
        added = edit.add_entry(text, "models", "new-one", {"path": "models/new", "description": description})
        assert documents.plain(documents.parse(added)) is not None
        with suppress(ManifestError):
            removed = edit.remove_entry(added, "new-one")
            assert "new-one" not in read.read({"registry.yaml": removed.encode()}).artifacts
    declared = read.read({"registry.yaml": text.encode(errors="surrogateescape")}).artifacts
    for there in [*declared][:2]:
        with suppress(ManifestError):
            left = edit.remove_entry(text, there)
            documents.parse(left)


def values(data: bytes) -> None:
    """A file of metrics is names with values that JSON can say, or one ManifestError."""
    for path in ("m.yaml", "m.json", "m.toml"):
        with suppress(ManifestError):
            found = read.read_values(path, data)
            _json(found)
            assert all(isinstance(value, str | int | float | None) for value in found.values())


def dvc_files(data: bytes) -> None:
    """No output of DVC's lies outside of the repository; what cannot be read is refused."""
    first, second = [*data.split(b"\0", 1), b""][:2]
    for files in ({"data/x.dvc": first}, {"data/dvc.lock": first, "data/dvc.yaml": second}, {"data/dvc.yaml": first}):
        for path in read.dvc_outputs(files):
            assert not path.startswith(("/", "../"))
        with suppress(Refused):
            found = dvc.outputs(files)
            for one in found:
                assert not one.path.startswith(("/", "../"))
                assert one.size is None or one.size >= 0
                with suppress(Refused):
                    paths.check(one.path)
            dvc.within("data", found, ())
            dvc.within("data/x/y", found, ())
    dvc.candidates(["data/x"], ["data/x.dvc"])
    for paths_ in (*named_for("data/x", {"data/dvc.yaml": first}), *named_files({"data/dvc.yaml": first})):
        assert len(paths_) <= 50
        assert not any(path.startswith(("/", "../")) or "\n" in path for path in paths_)


def dvc_settings(data: bytes) -> None:
    """A configuration of DVC's is read, or refused as unreadable; no value of it is more than one line."""
    with suppress(StoreFailed):
        found = dvc_config._parsed(_typed(data), Path("/repo/.dvc"), ".dvc/config")
        for values_ in found.remotes.values():
            for value in values_.values():
                with suppress(StoreFailed):
                    assert "\n" not in dvc_config._plain(value)


def pointer(data: bytes) -> None:
    """A pointer of Git LFS is a digest and a size, or none."""
    found = parse_pointer(data)
    assert found is None or (re.fullmatch("[0-9a-f]{64}", found.sha256) and found.size >= 0)


def tree(data: bytes) -> None:
    """Of a tree, however damaged, what can be read is read."""
    for width in (20, 32):
        for one in trees._parsed(data, width).values():
            assert not (one.is_tree and one.is_link)


# -- what Git, hosts and browsers say ----------------------------------------------------------------------------------


def git_answers(data: bytes) -> None:
    """Whatever a server says: each line of a push has a fate, each ref an id, and no message a password."""
    for line in data.decode(errors="replace").splitlines():
        assert isinstance(remote._pushed(line).fate, remote.Fate)
    ids, commits = remote._listed(data)
    assert not any(ref.endswith("^{}") for ref in commits if ref in ids)
    said = failure(("push", "origin"), data, 1)
    assert isinstance(said, GitFailed)
    assert "\n" not in said.message
    without_password(_typed(data))


def overview_file(data: bytes) -> None:
    """A file of overviews, however damaged, gives overviews that can be listed, or none."""
    with suppress(ValueError, RecursionError):
        words = json.loads(data)
        if isinstance(words, dict):
            data = json.dumps({**words, "format": kept.FORMAT}).encode()  # it changes with every version of ours
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(data)
        found = cache._load(Path(file.name))
    for one in cache._listed(found).values():
        _json(astuple(one))


def address(data: bytes) -> None:
    """What stands for a URL is one without a password; what links to a host, and to a page, leads there alone."""
    text = _typed(data)
    with suppress(UsageError):
        found = Address.parse(text)
        if found.login is not None:
            assert "@" not in found.url.split("/")[2]
        found.talking()
    host = hosting.of_url(text)
    assert host is None or re.fullmatch(r"https://[a-z0-9.:-]+(/[A-Za-z0-9._~-]+){2,}", host.url)
    link = card.web_link(text)
    assert link is None or link.lower().startswith(("http://", "https://"))
    stem, page = links.split(text) or (text, 1)
    assert page > 0
    place = links.parse(stem)
    assert place is None or names.is_artifact(place.artifact)


def form(data: bytes) -> None:
    """What a browser sends is a form, or none; each field is taken, or refused in words."""
    try:
        sent = server._parsed(data)
    except Denied:
        return
    for action in ACTIONS.values():
        said = fields.typed(action.fields, sent)
        for field in action.fields:
            with suppress(UsageError):
                fields.check(field, said)
        with suppress(UsageError):
            fields.keywords(action.fields, said)
        with suppress(RegistryError):
            action.words(said)
        assert all(isinstance(word, str) for word in fields.options(action.fields, said))
    with suppress(UsageError):
        fields.selector(sent)
        fields.held(sent)


_ELEMENTS = {"p", "br", "hr", "em", "strong", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a", "table", "thead",
             "tbody", "tr", "th", "td", "h1", "h2", "h3", "h4", "h5", "h6"}  # fmt: skip


class _Elements(HTMLParser):
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in _ELEMENTS, tag
        for key, value in attrs:
            assert key in {"href", "rel", "class", "start"}
            if key == "href":
                assert re.match("https?://|mailto:", value or "", re.IGNORECASE)

    def handle_comment(self, data: str) -> None:  # noqa: ARG002
        raise AssertionError("a comment")

    def handle_decl(self, decl: str) -> None:  # noqa: ARG002
        raise AssertionError("a declaration")


def model_card(data: bytes) -> None:
    """Of a card nothing becomes HTML but a few elements, and links to the web."""
    front, rest = cards.parts(data.decode(errors="replace"))
    assert len(front) <= len(data)
    said = cards.read(data)
    assert all(isinstance(value, int | float | str) for value in said.metrics.values())
    assert not any("\n" in text for text in [*said.metrics, *said.tags.values(), *said.labels])
    elements = _Elements()
    elements.feed(card.html(rest))
    elements.close()


_MARKDOWN = MarkdownIt("commonmark").enable(["table"])


def words(data: bytes) -> None:
    """Strangers' words stay words: in Markdown, in a log, and in the file of a step's outputs."""
    text = data.decode(errors="replace")
    shown = code(text)
    if shown:
        [_, inline, _] = _MARKDOWN.parse(shown)
        assert [one.type for one in inline.children or ()] == ["code_inline"]
        kinds = [one.type for one in _MARKDOWN.parse(table(("A", "B"), [[shown, shown]]))]
        assert kinds.count("td_open") == 2
    assert [one.type for one in _MARKDOWN.parse(block(text))] == ["fence"]
    assert "##[" not in say.plain(text)
    said = say.command("error", text, say.Place(text, 1, 1), title=text)
    assert said.startswith("::error ")
    assert len(said.splitlines()) == 1
    voice = say.Voice(StringIO())
    with voice.quoted():
        voice.log(text)
        voice.annotate("warning", text)
        voice.output({"name": text})
        voice.listed("stages", [{"artifact": text}])


class _Host(Gh):
    """A host that answers everything with the same, and with nothing on later pages."""

    answer: Json

    def get(self, path: str) -> Json:
        return [] if "page=" in path and not path.endswith("page=1") else self.answer


def payload(data: bytes) -> None:
    """The payload of an event says what there is to do, or is refused; a host's answer is a change, or none."""
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(data)
        for kind in ("push", "pull_request", "other"):
            with suppress(UsageError):
                found = runner.read({"GITHUB_EVENT_NAME": kind, "GITHUB_EVENT_PATH": file.name, "GITHUB_REF": "refs/x"})
                assert found.default_branch is None or found.default_branch
                found.said("pull_request", "base", "sha")
                assert isinstance(found.mode, runner.Mode)
    host = _Host("gh", "a/b", {})
    with suppress(ValueError, RecursionError):
        object.__setattr__(host, "answer", json.loads(data))
        run = runner.read({"GITHUB_SERVER_URL": "https://github.com"})
        change = changes._asked(host, run, commit(1))
        assert change is None or isinstance(change.url, str)


def inputs(data: bytes) -> None:
    """The inputs of the Action are taken, or refused in words."""
    said = dict(zip((*(f"REGISTRY_INPUT_{one}" for one in runner._NAMES), "GITHUB_REF"), _texts(data, 9), strict=True))
    with suppress(UsageError):
        found = runner.read(said)
        assert found.inputs.push_batch is None or found.inputs.push_batch > 0
        assert found.tag is None or found.tag
        assert isinstance(found.mode, runner.Mode)
        with suppress(UsageError):
            assert found.inside(found.inputs.output_dir).is_relative_to(os.path.realpath(found.workspace))


TARGETS: Mapping[str, Callable[[bytes], None]] = {
    target.__name__: target
    for target in (
        tag_object, tag_listing, signatory, history, text_of_message, keys_of_version,
        signed_tag, judged_history, trusted_files, pushed_refs,
        name, version, selector,
        document, manifests, edits, values, dvc_files, dvc_settings, pointer, tree,
        git_answers, overview_file, address, form, model_card, words, payload, inputs,
    )
}  # fmt: skip
