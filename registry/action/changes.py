"""Which merged change brought a commit, and who approved it: from the environment, or from the host."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache

from registry.action.gh import Gh, GhFailed, gh_for, host_of
from registry.action.runner import Runner
from registry.core.manifest import Json
from registry.porcelain.gitops import Change, Changes, told_by

_login = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?(?:\[bot\])?")
_OURS = ("OWNER", "MEMBER", "COLLABORATOR")  # in public repositories everybody may review
_SIDES = ("APPROVED", "CHANGES_REQUESTED", "DISMISSED")  # a later comment takes back no approval, as on the host


def changes_for(runner: Runner, environment: Mapping[str, str], note: Callable[[str], None]) -> Changes:
    """How to find the change of a commit, by the first way that there is. `note` hears once why the host cannot say.

    REGISTRY_CHANGE, with REGISTRY_APPROVED_BY (by commas), and GitLab's CI_MERGE_REQUEST_* are one change for all.
    """
    told = told_by(environment)
    if told is not None:
        return lambda _: told
    silent: list[str] = []
    gh: list[Gh] = []

    @cache
    def of_commit(commit: str) -> Change | None:
        if silent:
            return None
        try:
            if not gh:
                gh.append(gh_for(runner))  # only where something is written is anybody asked
            return _asked(gh[0], runner, commit)
        except GhFailed as error:
            silent.append(error.message)
            note(f"no change and no approvals are recorded: {error.message}")
            return None

    return of_commit


def _asked(gh: Gh, runner: Runner, commit: str) -> Change | None:
    """The pull request that was merged into the default branch with `commit`. Raises GhFailed."""
    branch = runner.default_branch
    for pull in _objects(gh.get(f"commits/{commit}/pulls")):
        base, url, number = pull.get("base"), pull.get("html_url"), pull.get("number")
        into = base.get("ref") if isinstance(base, dict) else None
        if pull.get("merged_at") and branch in {None, into} and isinstance(url, str) and isinstance(number, int):
            return Change(url, _approvers(gh, number, host_of(runner.server)))
    return None


def _approvers(gh: Gh, number: int, host: str) -> tuple[str, ...]:
    """Those whose last word on a pull request was an approval, by the addresses that the host gives them."""
    last: dict[str, str] = {}
    page, full = 1, 100
    while full == 100:
        reviews = _objects(gh.get(f"pulls/{number}/reviews?per_page=100&page={page}"))
        for review in reviews:
            user, state = review.get("user"), review.get("state")
            if not isinstance(user, dict) or not isinstance(state, str) or state not in _SIDES:
                continue
            if review.get("author_association") not in _OURS:
                continue
            name, id_ = user.get("login"), user.get("id")
            if isinstance(id_, int) and isinstance(name, str) and _login.fullmatch(name):
                last[f"{id_}+{name}@users.noreply.{host}"] = state
        page, full = page + 1, len(reviews)
    return tuple(who for who, state in last.items() if state == "APPROVED")


def _objects(answer: Json) -> list[dict[str, Json]]:
    return [one for one in answer if isinstance(one, dict)] if isinstance(answer, list) else []
