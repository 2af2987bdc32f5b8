"""Every event is judged by the policy of the default branch as it is now: what is not to be trusted fails the run."""

from __future__ import annotations

from dataclasses import asdict

from registry import markdown
from registry.action.annotations import Annotation, annotate_all
from registry.action.checkout import repair
from registry.action.runner import Runner
from registry.action.say import Level, Voice
from registry.api import Registry
from registry.errors import RegistryError
from registry.porcelain.verify import Failure, Verification

OUTPUTS = ("trusted", "failures")
_ALL = "registry verify --json"
_LONGEST = 500  # characters of one thing that is said in the output


def verify(registry: Registry, _: Runner, voice: Voice) -> int:
    """Verify all events of the server; 1 where one is not to be trusted. Raises RegistryError where nobody can tell,
    which is not to be trusted, either."""
    try:
        repair(registry, voice)
        found = registry.verify(present=True)
    except RegistryError:
        voice.output({"trusted": "false", "failures": "[]"})
        raise
    annotations = [_annotation("error", one) for one in found.failures]
    annotations += [_annotation("warning", one) for one in found.warnings]
    if not found.asks:
        annotations.append(Annotation("notice", "the policy asks for no signature and names nobody"))
    annotate_all(voice, annotations, _ALL)
    voice.summary(markdown.verification(found))
    voice.output({"trusted": "true" if found.trusted else "false", "failures": _listed(found, voice)})
    return 0 if found.trusted else 1


def _annotation(level: Level, one: Failure) -> Annotation:
    by = f"; by {one.author} <{one.email}>, {one.date}" if one.date is not None else ""
    return Annotation(level, f"{one.subject}: {one.message}{by}", one.hint)


def _listed(found: Verification, voice: Voice) -> str:
    # A tagger's name may be as long as anybody likes: one failure shall not keep the others out.
    rows = [{key: said and said[:_LONGEST] for key, said in asdict(one).items()} for one in found.failures]
    return voice.listed("failures", rows, f"{_ALL} has all of them")
