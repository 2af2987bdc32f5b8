"""New events before they are written: their names, counters, chain, dates and bytes (DESIGN parts 2 and 6)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from registry.core import message
from registry.core.events import Event, Signatory, build
from registry.core.names import MAX_COUNTER, Form, TagName
from registry.core.state import ArtifactState
from registry.core.version import Bump
from registry.errors import Refused

DAY = 24 * 60 * 60


@dataclass(frozen=True, slots=True)
class Intent:
    """How an event was meant, as far as its tag does not say: for whoever has to decide it again (DESIGN part 6).

    `bump` is set where the version was free to choose, as a pre-release where `pre` names one; `force` where rules were
    passed; `part` marks what another event of the same write brings with it.
    """

    bump: Bump | None = None
    pre: str | None = None
    force: bool = False
    part: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """What one event shall say. `keys` are those of the block but for `Previous` and `Counter`, which `lay` adds."""

    form: Form
    artifact: str
    commit: str
    subject: str
    version: str | None = None
    stage: str | None = None
    body: str = ""
    keys: tuple[tuple[str, str], ...] = ()
    intent: Intent = Intent()


@dataclass(frozen=True, slots=True)
class Laid:
    """A draft become a tag: the event that it is, the bytes of its tag object, and how it was meant."""

    event: Event
    raw: bytes
    intent: Intent


def lay(
    state: ArtifactState, drafts: Sequence[Draft], by: Signatory, seal: Callable[[bytes], bytes] = bytes
) -> list[Laid]:
    """The tags that `drafts`, in this order, become after the events of `state`.

    `by` is the writer with the clock's time; `seal` gives a tag object with its signature, and is asked before the
    next tag is laid, for that names the object before it. Raises Refused where the counters are used up.
    """
    laid: list[Laid] = []
    known = set(state.versions)
    previous = loose_ends(state.events)
    seconds = _after(state.events, by.seconds)
    for counter, draft in enumerate(drafts, state.counter + 1):
        if counter > MAX_COUNTER:
            raise Refused(f"the counters of {draft.artifact} are used up", "registry doctor names the tag that did it")
        first = draft.form is Form.REGISTRATION and draft.version not in known
        name = TagName(draft.form, draft.artifact, draft.version, draft.stage, None if first else counter)
        keys = [("Previous", oid) for oid in previous]
        if first:  # always plain A@V, so that its counter stands in a key
            keys.append(("Counter", str(counter)))
        text = message.compose(draft.subject, draft.body, [*keys, *draft.keys])
        writer = replace(by, seconds=seconds)
        raw = seal(_tag_object(draft.commit, str(name), writer, text))
        oid = object_id(raw, len(draft.commit))
        sealed = raw.partition(b"\n\n")[2].decode()  # with the signature, which says that the event is signed
        laid.append(Laid(build(name, oid, draft.commit, writer, message.parse(sealed)), raw, draft.intent))
        if first:
            known.add(draft.version or "")
        previous = [oid]
        seconds += 1
    return laid


def loose_ends(events: Sequence[Event]) -> list[str]:
    """The tag objects that the next event names as `Previous`: the tail of our own chain, then whatever no event names.

    `events` are all of one artifact's, in order. Where our chain has forked, its last event comes first.
    """
    named = {oid for event in events for oid in event.keys.get("Previous", ())}
    loose = [event for event in events if event.oid not in named]
    tail = next((event for event in reversed(loose) if event.ours), None)
    return [event.oid for event in ([] if tail is None else [tail]) + [e for e in loose if e is not tail]]


def _after(events: Sequence[Event], now: int) -> int:
    """The date of the next event: later than every other, but for those that are more than a day ahead of the clock."""
    believed = [event.by.seconds for event in events if event.by.seconds <= now + DAY]
    return max([now, *(seconds + 1 for seconds in believed)])


def _tag_object(commit: str, tag: str, by: Signatory, text: str) -> bytes:
    sign = "-" if by.offset < 0 else "+"
    zone = f"{sign}{abs(by.offset) // 60:02}{abs(by.offset) % 60:02}"
    tagger = f"{by.name} <{by.email}> {by.seconds} {zone}"
    return f"object {commit}\ntype commit\ntag {tag}\ntagger {tagger}\n\n{text}".encode()


def object_id(raw: bytes, length: int) -> str:
    """The id that Git gives the tag object `raw`, in a repository whose ids have `length` hex digits (40 or 64)."""
    return digest(b"tag %d\0%b" % (len(raw), raw), length)


def digest(data: bytes, length: int) -> str:
    """The digest of `data` in so many hex digits, by the hash that Git has for that length."""
    kind = hashlib.sha1 if length == 40 else hashlib.sha256  # Git's own choice of hash, not ours
    return kind(data).hexdigest()
