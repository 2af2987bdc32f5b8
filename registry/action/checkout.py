"""What a step needs of Git that a runner does not give: the server's tags, a name to write under, a way to the server.

The latter two go into this process's environment, so that nothing is left on the runner, and no token stands on a
command line, where other processes could read it.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping

from registry.action.runner import Runner
from registry.action.say import Voice
from registry.api import Registry
from registry.plumbing.process import Git

# The name that GitHub itself gives to what a workflow does; the number is that account's.
NAME = "github-actions[bot]"
EMAIL = "41898282+github-actions[bot]@users.noreply.github.com"


_SHOWN = 10  # tags that a warning names


def repair(registry: Registry, voice: Voice, tag: str | None = None, *, base: str | None = None) -> None:
    """`Registry.repair`, and a warning that names what did not count."""
    lost = registry.repair(tag, base=base)
    if lost:
        more = f" and {len(lost) - _SHOWN} more" if len(lost) > _SHOWN else ""
        voice.annotate(
            "warning",
            f"these tags are not so at the remote, and do not count: {', '.join(lost[:_SHOWN])}{more} "
            "(hint: a step that makes some publishes them, with --push)",
            title="git-registry",
        )


def prepare(git: Git, runner: Runner, environment: Mapping[str, str]) -> dict[str, str]:
    """The variables to add to `environment`. What the user has set, by any of Git's ways, is left alone."""
    return {**_identity(git, environment), **_credentials(git, runner, environment)}


def _identity(git: Git, environment: Mapping[str, str]) -> dict[str, str]:
    # Not by `git var`, which on some machines makes up root@host, and is content.
    told = any(environment.get(f"GIT_COMMITTER_{part}") for part in ("NAME", "EMAIL"))
    if told or any(
        git.succeeds("config", "--get", f"{whose}.{part}") for whose in _WHOSE for part in ("name", "email")
    ):
        return {}
    return {"GIT_COMMITTER_NAME": NAME, "GIT_COMMITTER_EMAIL": EMAIL}


_WHOSE = ("user", "committer")


def _credentials(git: Git, runner: Runner, environment: Mapping[str, str]) -> dict[str, str]:
    # actions/checkout leaves such a header, unless `persist-credentials: false`; a server refuses two of them.
    said = git.read("config", "--get-urlmatch", "http.extraheader", f"{runner.server}/", check=False)
    there = said.lower().startswith(b"authorization:")
    if not runner.inputs.token or (there and not runner.inputs.insists):
        return {}
    login = base64.b64encode(f"x-access-token:{runner.inputs.token}".encode()).decode()
    # An empty one takes back those before it: git-config(1), http.extraHeader.
    values = [*([""] if there else []), f"AUTHORIZATION: basic {login}"]
    count = environment.get("GIT_CONFIG_COUNT", "")
    first = int(count) if count.isdigit() else 0  # after what the user says in the same way: git-config(1)
    settings = {"GIT_CONFIG_COUNT": str(first + len(values))}
    for place, value in enumerate(values, first):
        settings[f"GIT_CONFIG_KEY_{place}"] = f"http.{runner.server}/.extraheader"
        settings[f"GIT_CONFIG_VALUE_{place}"] = value
    return settings
