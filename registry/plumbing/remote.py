"""Talking to another repository: which one, fetching its tags, publishing ours by compare-and-swap (DESIGN part 6)."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from registry.core.names import in_tag
from registry.errors import GitFailed, NotFound, UsageError
from registry.plumbing.process import Answer, Git, without_password
from registry.plumbing.tags import PREFIX

HEADS = "refs/registry/"
SEEN = "refs/registry-remote/"

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Remote:
    """A remote of a clone, and where its tags and registry heads are kept there, as prefixes of refs.

    `name` is what people read, and what Git calls it too, unless it has an `alias` there.
    """

    name: str
    tags: str
    heads: str
    alias: str = ""

    @property
    def in_git(self) -> str:
        """What Git calls it."""
        return self.alias or self.name


def of_clone(name: str) -> Remote:
    """A remote whose refs are kept apart from the user's own tags, as last fetched (DESIGN part 8)."""
    place = name.replace("%", "%25").replace("/", "%2F")  # the remotes a and a/tags would share refs
    return Remote(name, f"{SEEN}{place}/tags/", f"{SEEN}{place}/heads/")


def of_mirror(url: str) -> Remote:
    """The remote of a mirror that nobody works in: its refs are the mirror's, and people know it by its URL."""
    return Remote(url, PREFIX, HEADS, "origin")


def remotes(git: Git) -> list[str]:
    """The names of all remotes."""
    return git.read("remote").decode(errors="replace").split()


def choose(git: Git, wanted: str | None = None) -> str | None:
    """The remote to talk to: the one named, the branch's upstream, else `origin`, else the only one; None without any.

    Raises NotFound for a name that is none, UsageError where several could be meant.
    """
    there = remotes(git)
    if wanted is not None:
        if wanted not in there:
            hint = f"there is {', '.join(there)}" if there else f"git remote add {wanted} URL adds it"
            raise NotFound(f"there is no remote {wanted}", hint)
        return wanted
    branch = git.read("symbolic-ref", "--quiet", "--short", "HEAD", check=False).decode(errors="replace").strip()
    upstream = git.read("config", "--get", f"branch.{branch}.remote", check=False).decode(errors="replace").strip()
    for name in (upstream, "origin"):
        if name in there:
            return name
    if len(there) > 1:
        raise UsageError(f"there are several remotes: {', '.join(there)}", "say which one with --remote")
    return there[0] if there else None


def needed(git: Git, wanted: str | None = None) -> str:
    """`choose`, where there has to be one. Raises NotFound."""
    name = choose(git, wanted)
    if name is None:
        raise NotFound("this repository has no remote", "git remote add origin URL adds one")
    return name


# What a repository's own configuration could have run when its remote is asked. Git lists what an include brings, too.
_RUNS = (
    r"^(remote\..*\.(uploadpack|vcs)|core\.(sshcommand|gitproxy|askpass|alternaterefscommand)|credential\..*|url\..*"
    r"|protocol\..*|ssh\..*|http\..*proxy.*)$"
)
_TRANSPORT = re.compile(r"([\w+.-]+)(::|://)")  # what neither names one is a path, or host:path


def harmless(git: Git, name: str) -> bool:
    """Whether the remote may be asked just for reading.

    It may not where the repository's own settings (not the user's) name programs or transports: they would run.
    """
    said = git.read("config", "--show-scope", "--name-only", "--get-regexp", _RUNS, check=False).splitlines()
    if name.startswith("-") or any(line.startswith((b"local", b"worktree")) for line in said):
        return False
    url = git.read("remote", "get-url", "--", name, check=False).decode(errors="surrogateescape").strip()
    by = _TRANSPORT.match(url)
    return bool(url) and (by is None or (by[2] == "://" and by[1] in {"https", "http", "ssh", "git", "file"}))


def without_hooks(git: Git) -> Git:
    """Git that runs no hook, not even when it writes."""
    said = dict(git.settings).get("GIT_CONFIG_PARAMETERS") or os.environ.get("GIT_CONFIG_PARAMETERS", "")
    return replace(
        git, settings=(*git.settings, ("GIT_CONFIG_PARAMETERS", f"{said} 'core.hookspath'='/dev/null'".strip()))
    )


def promisor(git: Git, *, trusted: bool = False) -> str | None:
    """The remote that promised a partial clone what it lacks, if its settings are `trusted` or harmless; else None."""
    listing = git.read("config", "--name-only", "--get-regexp", r"^remote\..*\.promisor$", check=False)
    named = git.read("config", "--get", "extensions.partialClone", check=False).decode(errors="surrogateescape").strip()
    found = [line[len("remote.") : -len(".promisor")] for line in os.fsdecode(listing).splitlines()]
    name = named or (found[0] if found else "")
    return name if name and (trusted or harmless(git, name)) else None


def url_of(git: Git, remote: str) -> str:
    """Where `remote` lies, without a password."""
    found = git.read("remote", "get-url", "--", remote, check=False).decode(errors="surrogateescape").strip()
    return without_password(found)


# -- what git fetch brings -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Brings:
    """Whether git fetch, as configured, brings the tags of a remote, and those of all its branches."""

    tags: bool
    branches: bool


ORDINARY = Brings(True, True)


def bring_tags(git: Git) -> bool:
    """Whether git fetch brings all tags of every remote; one process."""
    return all(one == ORDINARY for one in settings_of(git).values())


def settings_of(git: Git) -> dict[str, Brings]:
    """What git fetch brings from each remote of which the configuration says something."""
    listing = git.read("config", "-z", "--get-regexp", r"^remote\..*\.(fetch|tagopt|mirror)$", check=False)
    said: dict[str, list[tuple[str, str]]] = {}
    for entry in listing.decode(errors="replace").split("\0")[:-1]:
        key, _, value = entry.partition("\n")
        name, _, what = key.removeprefix("remote.").rpartition(".")
        said.setdefault(name, []).append((what, value))
    return {name: _brings(words) for name, words in said.items()}


def _brings(said: Sequence[tuple[str, str]]) -> Brings:
    wanted = [value for key, value in said if key == "fetch"]
    # "git clone --bare" sets nothing at all, and brings all; "--mirror" sets refs/*.
    if any("refs/tags/*:" in spec or "refs/*:" in spec for spec in wanted) or ("mirror", "true") in said:
        return ORDINARY
    return Brings(("tagopt", "--no-tags") not in said, not wanted or any("refs/heads/*:" in spec for spec in wanted))


# -- fetching --------------------------------------------------------------------------------------------------------

# These refs and nothing else: no tags that would follow them, no FETCH_HEAD of the user's, no submodules.
_FETCH = (
    *("fetch", "--progress", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules"),
    "--no-auto-maintenance",
)


def fetch(git: Git, remote: Remote, artifacts: Sequence[str] | None, progress: Progress) -> None:
    """Bring what the server has of `artifacts` (of all, where None), and forget what it deleted.

    Raises GitFailed with the server's words.
    """
    specs = specs_of(remote, artifacts)
    try:
        fetch_specs(git, remote, specs, progress, ("--atomic", "--prune"))
    except GitFailed as error:
        # A tag has gone there, and another has come whose name goes on after a slash: no one transaction does both.
        if "exists; cannot create" not in error.message:
            raise
        fetch_specs(git, remote, specs, progress, ("--prune",))


def specs_of(remote: Remote, artifacts: Sequence[str] | None) -> list[str]:
    """What to ask for, to have the tags and heads of `artifacts` (of all, where None)."""
    return [f"+{ref}*:{kept}*" for prefix in _prefixes(artifacts) for ref, kept in _places(remote, prefix)]


def fetch_specs(
    git: Git, remote: Remote, specs: Sequence[str], progress: Progress, options: Sequence[str] = ()
) -> None:
    """Fetch these refs and nothing else. Raises GitFailed with the server's words."""
    words = (*_FETCH, *options, "--stdin", "--end-of-options", remote.in_git)
    git.network(*words, data=_lines(specs), progress=progress, remote=remote.name)


_TRIES = 5


def fetch_tip(git: Git, remote: Remote, progress: Progress) -> str:
    """Bring the commit of the server's default branch here, by as little as is needed; its full id.

    Raises NotFound where it has none, GitFailed with the server's words.
    """
    for _ in range(_TRIES):  # it may move on between the two questions
        answer = git.network("ls-remote", "--end-of-options", remote.in_git, "HEAD", remote=remote.name)
        tip = _listed(answer.out)[0].get("HEAD")
        if tip is None:
            raise NotFound(f"{remote.name} has no default branch", "push a branch there; --rev names a commit here")
        if tip in _have(git, {tip}):
            return tip
        # In a shallow clone all history would come along: what is needed of it is asked for later.
        shallow = git.read("rev-parse", "--is-shallow-repository").strip() == b"true"
        fetch_specs(git, remote, ["HEAD"], progress, ("--depth=1",) if shallow else ())
        if tip in _have(git, {tip}):
            return tip
    raise GitFailed(f"the default branch of {remote.name} moves too quickly to be read", "try again")


def bring_commit(git: Git, remote: Remote, commit: str, progress: Progress, *, alone: bool) -> None:
    """Bring a commit by its full id, `alone` without what came before it: then the clone is a shallow one.

    Raises GitFailed.
    """
    if commit not in _have(git, {commit}):
        fetch_specs(git, remote, [commit], progress, ("--depth=1",) if alone else ())


def make_partial(git: Git, remote: Remote) -> None:
    """Let fetches from `remote` bring no trees and no files: Git brings them when they are asked for.

    What git clone --filter=tree:0 would have set (gitformat-repository-version(5), partialClone); a server that cannot
    do it sends all.
    """
    if promisor(git, trusted=True) is None:
        git.write("config", f"remote.{remote.in_git}.partialCloneFilter", "tree:0")
        git.write("config", f"remote.{remote.in_git}.promisor", "true")


def fetch_objects(git: Git, name: str, oids: Sequence[str], filter_: str, progress: Progress) -> None:
    """Fetch trees and blobs by id; `filter_` says what comes with them, with "tree:0" nothing. Raises GitFailed."""
    words = (*_FETCH, f"--filter={filter_}", "--stdin", "--end-of-options", name)
    # No negotiation: told that a commit is here, the server would take all that it leads to for being here too.
    alone = ("-c", "fetch.negotiationAlgorithm=noop")
    git.network(*alone, *words, data=_lines(oids), progress=progress, remote=name)


def _prefixes(artifacts: Sequence[str] | None) -> list[str]:
    return [""] if artifacts is None else [f"{in_tag(name)}{sign}" for name in artifacts for sign in "@#"]


def _places(remote: Remote, prefix: str) -> list[tuple[str, str]]:
    tags = (PREFIX + prefix, remote.tags + prefix)
    # A head is A@head. Its exact name would fail the whole fetch where it is missing; a pattern is merely empty.
    return [tags] if prefix.endswith("#") else [tags, (HEADS + prefix, remote.heads + prefix)]


def fetch_shallow(git: Git, remote: Remote, artifacts: Sequence[str] | None, progress: Progress) -> list[str]:
    """`fetch` for a shallow clone: no history comes with the tags, and what is here does not become shallower.

    Gives the refs that the server has no more, for the caller to delete.
    """
    prefixes = [place for prefix in _prefixes(artifacts) for place in _places(remote, prefix)]
    answer = git.network(
        "ls-remote", "--end-of-options", remote.in_git, *(f"{ref}*" for ref, _ in prefixes), remote=remote.name
    )
    ids, commits = _listed(answer.out)
    kept = {name: there + name[len(ref) :] for name in ids for ref, there in prefixes if name.startswith(ref)}
    have = _have(git, set(commits.values()) | set(ids.values()))
    for near in (True, False):
        # --depth=1 of a commit that is here would cut off its history; without it, that of others would come along.
        specs = [f"+{name}:{to}" for name, to in kept.items() if (commits.get(name, ids[name]) in have) is near]
        if specs:
            fetch_specs(git, remote, specs, progress, ("--atomic", *(() if near else ("--depth=1",))))
    here = git.read("for-each-ref", "--format=%(refname)", "--", *(f"{there}*" for _, there in prefixes)).split(b"\n")
    return sorted({ref.decode(errors="surrogateescape") for ref in here if ref} - set(kept.values()))


def _listed(listing: bytes) -> tuple[dict[str, str], dict[str, str]]:
    """What each ref is at the server, and, for an annotated tag, what it leads to (the lines that end in ^{})."""
    ids: dict[str, str] = {}
    commits: dict[str, str] = {}
    for line in listing.decode(errors="surrogateescape").splitlines():
        oid, _, name = line.partition("\t")
        if name.endswith("^{}"):
            commits[name.removesuffix("^{}")] = oid
        else:
            ids[name] = oid
    return ids, commits


def _have(git: Git, oids: set[str]) -> set[str]:
    listing = git.read("cat-file", "--batch-check=%(objectname)", data=_lines(sorted(oids)))
    return {line.decode() for line in listing.splitlines() if b" " not in line}


def _lines(words: Sequence[str]) -> bytes:
    return "".join(f"{word}\n" for word in words).encode(errors="surrogateescape")


# -- publishing ------------------------------------------------------------------------------------------------------


class Fate(Enum):
    """What became of one ref of a push."""

    PUBLISHED = "published"
    THERE = "there already, the same"
    LOST = "somebody was faster"
    REFUSED = "refused"
    UNTRIED = "left out for another's sake"


@dataclass(frozen=True, slots=True)
class Pushed:
    """One ref of a push: its fate and the server's words."""

    ref: str
    fate: Fate
    words: str


# What git or the server says of a lost race, and of a ref that failed for another's sake alone: DESIGN part 8.
_LOST = re.compile(
    r"stale info|already exists|cannot lock ref|failed to update ref|fetch first|non-fast-forward|remote ref updated"
    r"|incorrect old value|reference does not exist"
)
_IN_THE_WAY = "exists; cannot create"  # a/b and a/b/c cannot both be refs, however often it is tried
_NO = "REGISTRY_NO"  # the variable that says so
_UNTRIED = re.compile(r"atomic (push failed|push failure|transaction failed)")


def push(
    git: Git,
    remote: Remote,
    refs: Mapping[str, str | None],
    leases: Mapping[str, str],
    progress: Progress,
    options: Sequence[str] = (),
) -> tuple[list[Pushed], Answer]:
    """Publish `refs` (each ref's new object id, None to delete it), all or none; what became of each, and all words.

    `leases` gives for some of them what they have to be on the server now, "" for not there; the others are tags, which
    never move, and branches, which go on from there. Nothing became of any ref where there was no answer at all.
    """
    new = {ref: oid for ref, oid in refs.items() if oid is not None}
    if len(new) < len(refs) or len(new) <= _FEW:
        return _push(git, remote, [f"{oid or ''}:{ref}" for ref, oid in refs.items()], leases, progress, options)
    from registry.plumbing.crate import packed  # most pushes are small

    others = [f"{oid}:{ref}" for ref, oid in new.items() if not ref.startswith((PREFIX, HEADS))]
    with packed(git, new) as alone:
        return _push(alone, remote, [*(f"{all_}:{all_}" for all_ in _ALL), *others], leases, progress, options)


_FEW = 8  # refs that Git may look for one by one
_ALL = (f"{PREFIX}*", f"{HEADS}*")


def _push(
    git: Git,
    remote: Remote,
    specs: Sequence[str],
    leases: Mapping[str, str],
    progress: Progress,
    options: Sequence[str],
) -> tuple[list[Pushed], Answer]:
    # A clone by --mirror would push all refs. The key of --config-env ends at the last "=", that of -c at the first.
    whole = replace(git, talking=(*git.talking, (_NO, "false")))
    # No + anywhere: it would override the lease. --no-verify: a pre-push hook of the user's is for branches.
    answer = whole.network(
        f"--config-env=remote.{remote.in_git}.mirror={_NO}",
        *options,
        *("push", "--porcelain", "--progress", "--atomic", "--no-verify", "--no-follow-tags", "--no-signed"),
        *("--recurse-submodules=no", *(f"--force-with-lease={ref}:{old}" for ref, old in leases.items())),
        *("--end-of-options", remote.in_git, *specs),
        check=False,
        progress=progress,
        remote=remote.name,
    )
    lines = answer.out.decode(errors="replace").splitlines()
    pushed = [_pushed(line) for line in lines if line[1:2] == "\t"]
    if Fate.UNTRIED in {one.fate for one in pushed} <= {Fate.UNTRIED, Fate.THERE}:
        # Two transactions at once: which ref it was, the server says beside its answer only.
        fate = Fate.LOST if _is_lost("\n".join(answer.remote_words)) else Fate.REFUSED
        pushed = [replace(one, fate=fate) if one.fate is Fate.UNTRIED else one for one in pushed]
    return pushed, answer


def _pushed(line: str) -> Pushed:
    flag, names, words = [*line.split("\t"), "", ""][:3]
    ref = names.rpartition(":")[2]
    if flag != "!":
        return Pushed(ref, Fate.THERE if flag == "=" else Fate.PUBLISHED, words)
    fate = Fate.LOST if _is_lost(words) else Fate.UNTRIED if _UNTRIED.search(words) else Fate.REFUSED
    return Pushed(ref, fate, words)


def _is_lost(words: str) -> bool:
    return _LOST.search(words) is not None and _IN_THE_WAY not in words
