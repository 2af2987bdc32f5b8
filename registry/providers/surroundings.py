"""The run that is under way around a registration: a workflow of GitHub or GitLab, or MLflow's active run."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from registry.core.hiding import without_user
from registry.providers import JOBS, WORKFLOW
from registry.providers.ask import is_page

_number = re.compile(r"[0-9]{1,30}")
_server = re.compile(r"https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?/?", re.IGNORECASE)
_repository = re.compile(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+")


@dataclass(frozen=True, slots=True)
class Noticed:
    """A run that nobody named: what it is called, its page, and in whose words it was found."""

    run: str
    url: str | None
    where: str


def of_ci(environment: Mapping[str, str]) -> Noticed | None:
    """The workflow run or job that this process belongs to, by the variables that its runner sets.

    https://docs.github.com/actions/reference/variables-reference, https://docs.gitlab.com/ci/variables/predefined_variables
    """
    number = environment.get(WORKFLOW, "")
    if _number.fullmatch(number):
        return Noticed(f"github:{number}", github_page(environment, number), "GitHub Actions")
    for key, id_ in JOBS.items():
        url, number = without_user(environment.get(key, "")), environment.get(id_, "")
        if is_page(url):
            return Noticed(f"gitlab:{number}" if _number.fullmatch(number) else url, url, "GitLab")
    return None


def github_page(environment: Mapping[str, str], number: str) -> str | None:
    """The page of a run of the repository that a workflow is about; None outside of one."""
    server, repository = environment.get("GITHUB_SERVER_URL", ""), environment.get("GITHUB_REPOSITORY", "")
    if not _server.fullmatch(server) or not _repository.fullmatch(repository) or climbs(repository):
        return None
    return f"{server.rstrip('/')}/{repository}/actions/runs/{number}"


def climbs(path: str) -> bool:
    """Whether a path would lead a link elsewhere than it says."""
    return any(part in {".", ".."} for part in path.split("/"))


def of_mlflow() -> Noticed | None:
    """The MLflow run that is active in this program; MLflow is not imported for that."""
    mlflow = sys.modules.get("mlflow")
    active = getattr(mlflow, "active_run", None)
    if active is None:
        return None
    try:
        run = active()
        found = None if run is None else run.info.run_id
    except Exception:  # noqa: BLE001  (half imported, or of a version that nobody knows: then there is none)
        return None
    return Noticed(f"mlflow:{found}", None, "MLflow") if isinstance(found, str) and found else None
