"""Runs of Weights & Biases: `wandb:ENTITY/PROJECT/RUN`. It is asked where its package is installed and logged in."""

from __future__ import annotations

import importlib.util
import netrc
import os
import re
import urllib.parse
from collections.abc import Iterator, Mapping
from typing import Any

from registry.errors import UsageError
from registry.providers.surroundings import climbs
from registry.providers.values import Found, Place

_path = re.compile(r"(?P<project>[\w.-]+/[\w. -]+?)/(?:runs/)?(?P<run>[\w.-]+)")
_DEEPEST = 5


def resolve(run: str, place: Place) -> Found:  # noqa: ARG001  (a provider is asked so)
    """Its page; where one is logged in also its summary as metrics, and its configuration as parameters."""
    said = _path.fullmatch(run.strip("/"))
    if said is None or climbs(run):
        raise UsageError("a run of Weights & Biases is wandb:ENTITY/PROJECT/RUN", "")
    server = os.environ.get("WANDB_BASE_URL", "https://wandb.ai").rstrip("/").replace("//api.wandb.ai", "//wandb.ai")
    page = f"{server}/{urllib.parse.quote(said['project'])}/runs/{said['run']}"
    if importlib.util.find_spec("wandb") is None or not _logged_in(server):
        return Found(page)
    try:
        import wandb  # an extra, and slow to import

        there: Any = wandb.Api(timeout=10).run(f"{said['project']}/{said['run']}")
        return Found(page, dict(_flat(dict(there.summary))), dict(_flat(dict(there.config))))
    except Exception as error:  # noqa: BLE001  (the link needs nobody's answer)
        return Found(page, notes=(f"wandb:{run}: {type(error).__name__}: its metrics are left out",))


def _logged_in(server: str) -> bool:
    """Whether wandb would not have to ask for a key."""
    if os.environ.get("WANDB_API_KEY"):
        return True
    host = urllib.parse.urlsplit(server).hostname or ""
    try:
        return any(netrc.netrc().authenticators(name) for name in {host, f"api.{host}"} & set(netrc.netrc().hosts))
    except (OSError, netrc.NetrcParseError):
        return False


def _flat(values: Mapping[str, Any], before: str = "", depth: int = 0) -> Iterator[tuple[str, object]]:
    """Names and values, without those that begin with "_", which are wandb's own; what is no value is left out."""
    for name, value in values.items():
        if str(name).startswith("_"):
            continue
        if isinstance(value, Mapping) and depth < _DEEPEST:
            yield from _flat(value, f"{before}{name}.", depth + 1)
        elif isinstance(value, (str, bool, int, float)):
            yield f"{before}{name}", value
