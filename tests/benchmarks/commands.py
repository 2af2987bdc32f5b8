"""The commands that are measured in one repository, each with its yardstick."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.corpus import Shape
from tests.benchmarks.series import Probe, nothing
from tests.benchmarks.workshop import Workshop

CLICK = "python -c 'import click'"
CONTENTS = "git for-each-ref refs/tags, with contents"
BARE_APPLY = "git hash-object, git update-ref of the same tags"
RESOLVE, REGISTER, ASSIGN, APPLY = "resolve A#S", "register A", "assign A@V S", "apply of 1,000 new tags"
BESIDE = f"{CLICK}, again"
COMPLETIONS = ("complete a name", "complete A@", "complete A#", "complete a stage")
FIRST, AGAIN, HEAVIEST = "show --json, first time", "show --json, again", "history --json"


def groups(shop: Workshop, shape: Shape) -> list[list[Probe]]:
    """Every command, in groups of those that are measured in turn."""
    return [of_one(shop, shape), of_all(shop, shape), completing(shop, shape), applying(shop, shape)]


def reading_one(shop: Workshop, shape: Shape) -> list[Probe]:
    """What is asked about one model, after its yardstick."""
    place, a = shop.repository(shape), shape.model
    last = f"{a}@v0.0.{shape.versions}"
    questions = {
        RESOLVE: ["resolve", f"{a}#production"],
        "resolve A@latest": ["resolve", f"{a}@latest"],
        "check-ref A#S#10": ["check-ref", f"{a}#production#10"],
        "show A": ["show", a],
        "show A --json": ["show", a, "--json"],
        "history A": ["history", a],
        "diff A@V A@V": ["diff", f"{a}@v0.0.1", last],
    }
    ours = [Probe(label, shop.registry(*words), place, (CLICK,)) for label, words in questions.items()]
    return [Probe(CLICK, [shop.python, "-c", "import click"], place), *ours]


def completing(shop: Workshop, shape: Shape) -> list[Probe]:
    """What a shell asks for at the tab key, once a listing has been made, after its yardstick."""
    place, a = shop.repository(shape), shape.model
    subprocess.run(shop.registry("show"), cwd=place, env=shop.environment, check=True, stdout=subprocess.DEVNULL)
    lines = dict(zip(COMPLETIONS, (a[:-2], f"{a}@", f"{a}#", None), strict=True))
    found = [Probe(BESIDE, [shop.python, "-c", "import click"], place)]
    for label, typed in lines.items():
        line = f"registry assign {a} " if typed is None else f"registry show {typed}"
        said = ["_REGISTRY_COMPLETE=bash_complete", f"COMP_WORDS={line}", f"COMP_CWORD={line.count(' ')}"]
        found.append(Probe(label, ["env", *said, *shop.registry()], place, (BESIDE,)))
    return found


def writing_one(shop: Workshop, shape: Shape) -> list[Probe]:
    """What is written about one model, each time into a copy."""
    place, anew = shop.copy(shop.repository(shape))
    a = shape.model
    last, before = f"{a}@v0.0.{shape.versions}", f"{a}@v0.0.{shape.versions - 1}"
    orders = {
        REGISTER: ["register", a],
        ASSIGN: ["assign", before, "staging"],
        "unassign A@V S": ["unassign", last, "production"],
        "annotate A@V": ["annotate", last, "--metric", "auc=0.9"],
        "deregister A@V": ["deregister", last],
        "rollback A S": ["rollback", a, "production"],
        "deprecate A": ["deprecate", a],
        "approve A@V S, signed": ["approve", last, "production"],
        "delete TAG": ["delete", f"{a}#production#10", "--yes"],
    }
    return [Probe(label, shop.registry(*words), place, (CLICK,), anew) for label, words in orders.items()]


def of_one(shop: Workshop, shape: Shape) -> list[Probe]:
    """Every command about one model: none of them has to look at another."""
    return [*reading_one(shop, shape), *writing_one(shop, shape)]


def of_all(shop: Workshop, shape: Shape) -> list[Probe]:
    """Every command that looks at all models, after its yardstick."""
    place, a = shop.repository(shape), shape.model
    questions = {
        "show": ["show"],
        "history": ["history"],
        HEAVIEST: ["history", "--json"],
        "stages": ["stages"],
        "lineage A": ["lineage", a],
        "status": ["status"],
        "doctor": ["doctor"],
        "plan of 1,000 new tags": ["plan", "--rev", "wanted"],
    }
    ours = [Probe(label, shop.registry(*words), place, (CONTENTS,)) for label, words in questions.items()]
    return [*listing(shop, shape), *ours]


def listing(shop: Workshop, shape: Shape) -> list[Probe]:
    """`show --json` without anything that it may have kept, and with it, after their yardstick."""
    place = shop.repository(shape)
    show = shop.registry("show", "--json")
    return [
        Probe(CONTENTS, ["git", "for-each-ref", "--format=%(refname) %(objectname) %(contents)", "refs/tags"], place),
        Probe(FIRST, show, place, (CONTENTS,), lambda: _forget(place)),
        Probe(AGAIN, show, place, (CONTENTS,)),
    ]


def _forget(place: Path) -> None:
    # All that the program keeps in a clone lies there: DESIGN part 6.
    shutil.rmtree(place / ".git" / "registry", ignore_errors=True)


def applying(shop: Workshop, shape: Shape) -> list[Probe]:
    """`apply`, and the least that Git needs for the very same tags."""
    place, anew = shop.copy(shop.repository(shape))
    apply = shop.registry("apply", "--rev", "wanted")
    anew()
    subprocess.run(apply, cwd=place, env=shop.environment, check=True, stdout=subprocess.DEVNULL)
    bare = _bare(place, shop.home / "new" / place.name)
    return [Probe(BARE_APPLY, bare, place, (), anew), Probe(APPLY, apply, place, (BARE_APPLY,), anew)]


def _bare(applied: Path, room: Path) -> Sequence[str]:
    """The command that makes the tags that stand in `applied` and were wanted; their bytes are put into `room`."""
    git = ["git", "-C", str(applied)]
    words = ["for-each-ref", "--format=%(objectname) %(refname)", "refs/tags/*@v1.0.0"]
    refs = [line.split(" ") for line in subprocess.check_output([*git, *words], text=True).splitlines()]
    room.mkdir(parents=True)
    for oid, _ in refs:
        (room / oid).write_bytes(subprocess.check_output([*git, "cat-file", "tag", oid]))
    paths, creations = room / "paths", room / "creations"
    paths.write_text("".join(f"{room / oid}\n" for oid, _ in refs))
    creations.write_text("".join(f"create {ref} {oid}\n" for oid, ref in refs))
    store = f"git hash-object -t tag -w --stdin-paths <{shlex.quote(str(paths))}"
    return ["sh", "-c", f"{store} && git update-ref --stdin <{shlex.quote(str(creations))}"]


def few(shop: Workshop, shape: Shape) -> list[list[Probe]]:
    """The commands on which the form of refs and manifests could tell, in groups."""
    place, anew = shop.copy(shop.repository(shape))
    writes = [Probe(REGISTER, shop.registry("register", shape.model), place, (CLICK,), anew)]
    return [[*reading_one(shop, shape), *writes], listing(shop, shape)]


def beside_gto(shop: Workshop, shape: Shape) -> list[Probe]:
    """What both programs can do, in turn."""
    place, (copy, anew) = shop.repository(shape), shop.copy(shop.repository(shape))
    a, tag, version = shape.model, f"{shape.model}#production#10", f"v0.0.{shape.versions - 1}"
    both = {
        "show": (["show"], ["show"]),
        "NAME@latest": (["resolve", f"{a}@latest"], ["show", f"{a}@latest"]),
        "history": (["history"], ["history"]),
        "check-ref": (["check-ref", tag], ["check-ref", tag]),
        "register": (["register", a], ["register", a]),
        "assign": (["assign", f"{a}@{version}", "staging"], ["assign", a, "--version", version, "--stage", "staging"]),
    }
    found = []
    for label, (ours, theirs) in both.items():
        where, before = (copy, anew) if label in {"register", "assign"} else (place, nothing)
        found.append(Probe(f"gto {label}", [shop.theirs, *theirs], where, (), before))
        found.append(Probe(label, shop.registry(*ours), where, (f"gto {label}",), before))
    return found


def growing(shop: Workshop, small: Shape, large: Shape) -> list[Probe]:
    """Writes beside few tags and beside many, in turn."""
    found = []
    for label in (REGISTER, ASSIGN):
        for shape in (small, large):
            place, anew = shop.copy(shop.repository(shape))
            a, version = shape.model, f"v0.0.{shape.versions - 1}"
            words = ["register", a] if label == REGISTER else ["assign", f"{a}@{version}", "staging"]
            yardsticks = () if shape is small else (beside(label, small),)
            found.append(Probe(beside(label, shape), shop.registry(*words), place, yardsticks, anew))
    return found


def beside(label: str, shape: Shape) -> str:
    """The label of a command in a repository of this size, where several are compared."""
    return f"{label}, {shape.tags:,} tags"
