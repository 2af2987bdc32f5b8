"""What the runner tells a step: its environment, the event's payload and our inputs, as values.

https://docs.github.com/en/actions/reference/workflows-and-actions/variables names the variables.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from registry.core.manifest import Json
from registry.errors import UsageError

TAGS = "refs/tags/"


class Mode(Enum):
    """What a step does."""

    EVENT = "event"
    REVIEW = "review"
    APPLY = "apply"
    SITE = "site"
    VERIFY = "verify"
    NOTHING = "nothing"  # a push to another branch


@dataclass(frozen=True, slots=True)
class Inputs:
    """The inputs of action.yml; docs/actions.md says what each means.

    `mode` is None for auto. Where `token` is not given it is the workflow's own; one that is given `insists`, and
    counts more than what actions/checkout has left.
    """

    mode: Mode | None = None
    tag: str = ""
    pull: bool = False
    output_dir: str = ""
    comment: bool = False
    push_batch: int | None = None
    token: str = ""
    insists: bool = False
    repository_path: str = ""


@dataclass(frozen=True, slots=True)
class Runner:
    """One run of a workflow, as its step sees it. `outputs` and `summary` are files, None outside of a workflow."""

    event: str
    ref: str
    payload: Mapping[str, Json]
    repository: str
    server: str
    workspace: str
    outputs: Path | None
    summary: Path | None
    inputs: Inputs

    def said(self, *keys: str) -> Json:
        """The value in the payload at `keys`, each in the one before; None where there is none."""
        found: Json = dict(self.payload)
        for key in keys:
            found = found.get(key) if isinstance(found, dict) else None
        return found

    def inside(self, directory: str) -> Path:
        """A directory of the workspace, whole. Raises UsageError where it leads out, be it by a link."""
        workspace = Path(self.workspace).resolve()
        found = (workspace / directory).resolve()
        if not found.is_relative_to(workspace):
            raise UsageError(f"output-dir leads out of the workspace: {directory}", "output-dir: model")
        return found

    @property
    def default_branch(self) -> str | None:
        """The repository's default branch, where the payload says it."""
        name = self.said("repository", "default_branch")
        return name if isinstance(name, str) and name else None

    @property
    def tag(self) -> str | None:
        """The tag that this run is about: the one that was asked for, else the one that started it."""
        wanted = self.inputs.tag or (self.ref if self.ref.startswith(TAGS) else "")
        return wanted.removeprefix(TAGS) or None

    @property
    def mode(self) -> Mode:
        """What there is to do. Raises UsageError for an event that says nothing to us."""
        if self.inputs.mode is not None:
            return self.inputs.mode
        if self.tag is not None:
            return Mode.EVENT
        match self.event:
            case "pull_request" | "pull_request_target" | "merge_group":
                return Mode.REVIEW
            case "schedule" | "workflow_dispatch":
                return Mode.APPLY
            case "push" if self.default_branch is not None:
                return Mode.APPLY if self.ref == f"refs/heads/{self.default_branch}" else Mode.NOTHING
        raise UsageError(
            f"the event {self.event!r} does not say what to do", "give `mode`: event, review, apply, site or verify"
        )


def read(environment: Mapping[str, str]) -> Runner:
    """What `environment` says. Raises UsageError where an input or the payload is malformed."""
    if environment.get("REGISTRY_INPUT_TAG", "") and not environment["REGISTRY_INPUT_TAG"].strip():
        raise UsageError("`tag` is given, and blank", "leave it out, or name a tag")  # it would mean to apply
    return Runner(
        event=environment.get("GITHUB_EVENT_NAME", ""),
        ref=environment.get("GITHUB_REF", ""),
        payload=_payload(environment.get("GITHUB_EVENT_PATH", "")),
        repository=environment.get("GITHUB_REPOSITORY", ""),
        server=environment.get("GITHUB_SERVER_URL", "https://github.com").rstrip("/"),
        workspace=environment.get("GITHUB_WORKSPACE", "."),
        outputs=_file(environment, "GITHUB_OUTPUT"),
        summary=_file(environment, "GITHUB_STEP_SUMMARY"),
        inputs=_inputs(
            {name: environment.get(f"REGISTRY_INPUT_{name}", "").strip() for name in _NAMES},
            environment.get("REGISTRY_WORKFLOW_TOKEN", "").strip(),
        ),
    )


TOKENS = ("REGISTRY_INPUT_TOKEN", "REGISTRY_WORKFLOW_TOKEN")  # the variables that hold one
_NAMES = ("MODE", "TAG", "PULL", "OUTPUT_DIR", "COMMENT", "PUSH_BATCH", "TOKEN", "REPOSITORY_PATH")


def _inputs(said: Mapping[str, str], token: str) -> Inputs:
    mode = said["MODE"] or "auto"
    if mode not in {"auto", "event", "review", "apply", "site", "verify"}:
        raise UsageError(f"not a mode: {mode!r}", "auto, event, review, apply, site or verify")
    batch = said["PUSH_BATCH"]
    if batch and not (batch.isascii() and batch.isdigit() and 0 < int(batch[:9]) == int(batch)):
        raise UsageError(f"push-batch is no number of tags: {batch!r}", "such as 3, or nothing for one push of all")
    return Inputs(
        mode=None if mode == "auto" else Mode(mode),
        tag=said["TAG"],
        pull=_truth("pull", said["PULL"]),
        output_dir=said["OUTPUT_DIR"],
        comment=_truth("comment", said["COMMENT"]),
        push_batch=int(batch) if batch else None,
        token=said["TOKEN"] or token,
        insists=bool(said["TOKEN"]),
        repository_path=said["REPOSITORY_PATH"],
    )


def _truth(name: str, said: str) -> bool:
    if said.lower() not in {"", "true", "false"}:
        raise UsageError(f"{name} is neither true nor false: {said!r}", f"{name}: true")
    return said.lower() == "true"


def _payload(path: str) -> Mapping[str, Json]:
    if not path:
        return {}
    try:
        found = json.loads(Path(path).read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"the event's payload cannot be read: {error}", "GITHUB_EVENT_PATH names its file") from error
    return found if isinstance(found, dict) else {}


def _file(environment: Mapping[str, str], name: str) -> Path | None:
    return Path(environment[name]) if environment.get(name) else None
