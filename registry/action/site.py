"""The registry as static pages, for GitHub Pages or any other place that shows files."""

from __future__ import annotations

from pathlib import Path

from registry.action.checkout import repair
from registry.action.runner import Runner
from registry.action.say import Voice
from registry.api import Registry
from registry.errors import RegistryError, UsageError
from registry.markdown import code

DIRECTORY = "site"


def site(registry: Registry, runner: Runner, voice: Voice) -> int:
    """Write the pages into `output-dir`, and say where. Raises UsageError for a directory outside of the workspace,
    RegistryError where what makes pages is not installed."""
    try:
        from registry.web import site as pages
        from registry.web.sources import open_sources
    except ModuleNotFoundError as error:
        raise RegistryError(
            f"the pages need a package that is not installed: {error.name}", "give the input `extras: ui`"
        ) from error
    workspace, directory = runner.inside("."), runner.inside(runner.inputs.output_dir or DIRECTORY)
    if directory == workspace:
        raise UsageError("output-dir is all of the workspace", f"output-dir: {DIRECTORY}")
    repair(registry, voice)
    root = registry.repository.root or Path(runner.workspace) / runner.inputs.repository_path
    with open_sources([str(root)], acts=False, static=True).reading() as dashboard:
        count = pages.write(dashboard, directory)
    shown = directory.relative_to(workspace).as_posix()
    voice.summary(f"## The registry as pages\n\n{count} pages in {code(shown)}")
    voice.output({"directory": shown})
    return 0
