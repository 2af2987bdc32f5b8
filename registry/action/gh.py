"""The program gh, which every hosted runner has, for what only the host's API knows."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from registry.action.runner import Runner
from registry.core.manifest import Json
from registry.errors import RegistryError

_SECONDS = 60  # of patience for one question
_repository = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+")


class GhFailed(RegistryError):
    """gh is not there, or the host does not answer it. Nothing that a step has to do depends on it."""


@dataclass(frozen=True, slots=True)
class Gh:
    """gh, asked about one repository, `owner/name`. The token goes by the environment alone."""

    program: str
    repository: str
    environment: Mapping[str, str]

    def get(self, path: str) -> Json:
        """The answer to a GET of `path` below the repository. Raises GhFailed."""
        return self._ask([f"repos/{self.repository}/{path}"])

    def send(self, method: str, path: str, body: Json) -> Json:
        """The answer where `body` is sent to `path` below the repository, by standard input. Raises GhFailed."""
        return self._ask([f"repos/{self.repository}/{path}", "--method", method, "--input", "-"], json.dumps(body))

    def graphql(self, query: str, **variables: Json) -> Json:
        """The answer to a query in GraphQL, whose variables never become part of it. Raises GhFailed."""
        owner, _, name = self.repository.partition("/")
        said: Json = {"query": query, "variables": {"owner": owner, "name": name, **variables}}
        return self._ask(["graphql", "--input", "-"], json.dumps(said))

    def _ask(self, arguments: Sequence[str], data: str = "") -> Json:
        try:
            done = subprocess.run(
                [self.program, "api", *arguments],
                env=dict(self.environment),
                input=data.encode(),
                capture_output=True,
                check=False,
                timeout=_SECONDS,
            )
            if done.returncode != 0:
                words = done.stderr.decode(errors="replace").strip().partition("\n")[0]
                raise GhFailed(f"gh api {arguments[0]}: {words or 'failed without a word'}")
            answer: Json = json.loads(done.stdout or b"null")
        except (OSError, ValueError, RecursionError, subprocess.TimeoutExpired) as error:
            raise GhFailed(f"gh api {arguments[0]}: {error}") from error
        return answer


def gh_for(runner: Runner) -> Gh:
    """gh for this run's repository. Raises GhFailed where there is no gh, no token or no repository."""
    program = shutil.which("gh")
    if program is None:
        raise GhFailed("the program gh is not there", "GitHub's own runners have it: https://cli.github.com")
    if not runner.inputs.token:
        raise GhFailed("there is no token", "give `token`")
    if _repository.fullmatch(runner.repository) is None:
        raise GhFailed(f"not a repository: {runner.repository!r}", "GITHUB_REPOSITORY says owner/name")
    host = host_of(runner.server)
    token = "GH_TOKEN" if host == "github.com" or host.endswith(".ghe.com") else "GH_ENTERPRISE_TOKEN"
    more = {token: runner.inputs.token, "GH_HOST": host, "GH_PROMPT_DISABLED": "1", "NO_COLOR": "1", "LC_ALL": "C"}
    return Gh(program, runner.repository, {**os.environ, **more})


def host_of(server: str) -> str:
    """The host in a server's URL."""
    return server.partition("://")[2].partition("/")[0] or "github.com"
