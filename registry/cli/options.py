"""What commands share: the options, each written once, and the call that they make."""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from registry.cli import out
from registry.errors import RegistryError, UsageError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from registry.api import Registry
    from registry.plumbing.process import Git
    from registry.porcelain.manifests import Edited
    from registry.porcelain.values import Written
    from registry.web.sources import Sources

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]
Completer: TypeAlias = "Callable[[click.Context, click.Parameter, str], list[CompletionItem]]"


@dataclass(frozen=True)
class Call:
    """One call of a command: the repository that it is about, and how it shall answer."""

    repo: str | None
    json: bool

    @cached_property
    def registry(self) -> Registry:
        """The registry, opened when it is first asked for."""
        from registry.api import Registry  # not for --help

        return Registry(self.repo, on_note=out.note, on_progress=out.progress())

    def edited(self, edited: Edited, hint: str = "") -> None:
        """Print what a change of the manifest did, and a hint where it is still to be committed."""
        if self.json:
            out.as_json(edited.to_json())
            return
        out.line(edited.path)
        if edited.commit:
            out.say(f"committed as {edited.commit[:7]}")
        elif hint:
            out.say(f"hint: {hint}")

    def written(self, written: Written, *, dry_run: bool = False) -> None:
        """Print what a write did."""
        if self.json:
            out.as_json(written.to_json())
            return
        width = max((len(event.tag) for event in written.events), default=0)
        for event in written.events:
            out.line(event.tag, faint=event.subject, width=width)
        if dry_run and written.events:
            out.say("nothing was written: this was a dry run")


def command(*, paged: bool = False) -> Callable[[Callable[..., Any]], click.Command]:
    """A command with the options that every one takes, named like its file; its function is given a `Call` first.

    One that is `paged` may print more than a terminal shows at once.
    """

    def decorate(function: Callable[..., Any]) -> click.Command:
        @wraps(function)
        def run(*arguments: Any, repo: str | None, as_json: bool, **options: Any) -> Any:
            with out.paged() if paged else nullcontext():
                return function(Call(repo, as_json), *arguments, **options)

        shared = many(
            click.option(
                "--repo",
                metavar="PATH|URL",
                help="The repository, a directory in it, or a URL: no clone is needed. Otherwise the one here.",
            ),
            click.option("--json", "as_json", is_flag=True, help="Answer in JSON."),
        )
        name = function.__module__.rpartition(".")[2].replace("_", "-")
        return click.command(name, context_settings={"help_option_names": ["-h", "--help"]})(shared(run))

    return decorate


def dashboard(function: Callable[..., Any]) -> click.Command:
    """A command on several repositories, named like its file, with the options that every one takes."""
    shared = many(
        click.option(
            "--repo",
            "repos",
            multiple=True,
            metavar="PATH|URL",
            help="A repository, a directory in it, or a URL; may repeat. Otherwise the one here.",
        ),
        click.option("--json", "as_json", is_flag=True, help="Answer in JSON."),
    )
    name = function.__module__.rpartition(".")[2]
    return click.command(name, context_settings={"help_option_names": ["-h", "--help"]})(shared(function))


def opened(repos: tuple[str, ...], *, acts: bool, static: bool = False) -> Sources:
    """The repositories. Raises RegistryError where what makes pages is not installed."""
    try:
        import jinja2
        import markdown_it
        import starlette
        import uvicorn  # noqa: F401  (asked for by `serve`; said here, before anything is opened)
    except ModuleNotFoundError as error:
        hint = "pip install 'git-registry[ui]'"
        raise RegistryError(f"the dashboard needs a package that is not installed: {error.name}", hint) from error
    del jinja2, markdown_it, starlette
    from registry.web.sources import open_sources

    gc.enable()  # which `main` has switched off: this runs for hours, or makes thousands of pages
    return open_sources(repos, acts=acts, static=static)


def many(*decorators: Decorator) -> Decorator:
    """Several options as one, in the order of the help."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


# -- completion ----------------------------------------------------------------------------------------------------


def _complete(quick: Callable[[Git, str], Sequence[str]], slow: Callable[[Registry, str], Sequence[str]]) -> Completer:
    """Complete by names alone in a repository that is here; at a URL by what the registry there answers."""

    def complete(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        from registry.plumbing.address import is_url

        where = context.params.get("repo")
        try:
            if where is not None and is_url(where):
                from registry.api import Registry

                found = slow(Registry(where, on_note=lambda _: None), incomplete)
            else:
                from registry.porcelain.complete import here  # around class Registry, whose import takes as long again

                found = quick(here(where), incomplete)
        except RegistryError:
            return []  # no repository here: nothing to complete
        return [CompletionItem(word) for word in found if word.startswith(incomplete)]

    return complete


def _selectors(git: Git, typed: str) -> list[str]:
    from registry.porcelain import complete

    return complete.selectors(git, typed)


def _artifacts(git: Git, typed: str) -> list[str]:
    from registry.porcelain import complete

    return complete.artifacts(git, typed)


def _stages(git: Git, _: str) -> list[str]:
    from registry.porcelain import complete

    return complete.stages(git)


complete_selectors = _complete(_selectors, lambda registry, typed: registry.complete(typed))
complete_artifacts = _complete(_artifacts, lambda registry, _: registry.complete(""))
complete_stages = _complete(_stages, lambda registry, _: [stage.name for stage in registry.stages()])


def selector(name: str = "selector", *, required: bool = True) -> Decorator:
    """An argument that names a version."""
    return click.argument(name, required=required, shell_complete=complete_selectors, metavar=_shown(name, required))


def artifact(name: str = "artifact") -> Decorator:
    """An argument that names an artifact."""
    return click.argument(name, shell_complete=complete_artifacts, metavar="NAME")


def stage() -> Decorator:
    """An argument that names a stage."""
    return click.argument("stage", shell_complete=complete_stages)


def _shown(name: str, required: bool) -> str:
    return name.upper() if required else f"[{name.upper()}]"


def one_of(**flags: bool) -> str | None:
    """The one flag that was given, or None. Raises UsageError where several were."""
    given = [name for name, value in flags.items() if value]
    if len(given) > 1:
        raise UsageError(f"--{given[0]} and --{given[1]} exclude each other", "say one of them")
    return given[0] if given else None


# -- what a write may say --------------------------------------------------------------------------------------------


def _message(_: click.Context, __: click.Parameter, value: str | None) -> str:
    if value != "-":
        return value or ""
    return sys.stdin.buffer.read().decode(errors="replace").strip("\n")


def note(function: Callable[..., Any]) -> Callable[..., Any]:
    """`-m` and `--reason`."""
    return many(
        click.option(
            "-m", "--message", callback=_message, metavar="TEXT", help="Your own words; '-' reads standard input."
        ),
        click.option("--reason", metavar="TEXT", help="Why, in one line."),
    )(function)


def show_signature() -> Decorator:
    """`--show-signature`."""
    return click.option("--show-signature", is_flag=True, help="Say by whom each tag is proven to be signed.")


def verify() -> Decorator:
    """`--verify`."""
    return click.option("--verify", is_flag=True, help="Refuse an answer that registry verify would not trust.")


def remote() -> Decorator:
    """`--remote`."""
    return click.option(
        "--remote", metavar="NAME", help="That remote; otherwise the branch's upstream, origin, or the only one."
    )


def offline(what: str) -> Decorator:
    """`--offline`."""
    return click.option("--offline", is_flag=True, help=what)


def push() -> Decorator:
    """`--push`, and where to."""
    return many(click.option("--push", is_flag=True, help="Publish it in the same step."), remote())


def way(*, force: str | None = None) -> Decorator:
    """How a write is made: `--push`, `--sign`, `--dry-run`, and `--force` where it means something."""
    options = [
        push(),
        offline("Do not ask the remote for tags that this clone may lack."),
        click.option("--sign/--no-sign", default=None, help="Sign the tag, or not; without either, tag.gpgSign."),
        click.option("-n", "--dry-run", is_flag=True, help="Show what would be written, and write nothing."),
    ]
    if force is not None:
        options.insert(0, click.option("-f", "--force", is_flag=True, help=force))
    return many(*options)


def pairs(what: str) -> Callable[..., dict[str, str]]:
    """The callback of an option that takes `k=v`, several times."""

    def parse(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
        found = {}
        for value in values:
            key, equals, said = value.partition("=")
            if not equals or not key:
                raise UsageError(f"not a {what}: {value!r}", f"it is written NAME=VALUE, such as --{what} auc=0.93")
            found[key] = said
        return found

    return parse


def journey(function: Callable[..., Any]) -> Callable[..., Any]:
    """Where a version goes, and as what."""
    return many(
        click.option("--to", required=True, metavar="REPO", help="The repository that it goes to: a path or a URL."),
        click.option("--as", "name", metavar="NAME", help="Its artifact's name there; otherwise the same."),
        click.option("--version", metavar="V", help="Its version there; otherwise the same."),
        click.option("--with-stages", is_flag=True, help="Put it into the stages that it is in here."),
    )(function)


def facts(function: Callable[..., Any]) -> Callable[..., Any]:
    """What is known of a version."""
    return many(
        click.option("--description", metavar="TEXT", help="What the version is, in one line."),
        click.option("--label", "labels", multiple=True, metavar="LABEL", help="A label; may repeat."),
        click.option("--metric", "metrics", multiple=True, metavar="K=V", callback=pairs("metric"), help="A metric."),
        click.option("--param", "params", multiple=True, metavar="K=V", callback=pairs("param"), help="A parameter."),
        click.option("--tag", "tags", multiple=True, metavar="K=V", callback=pairs("tag"), help="A tag of its own."),
        click.option("--run", metavar="RUN", help="The run that made it, such as mlflow:ID, dvc:EXP or a URL."),
        click.option("--run-url", metavar="URL", help="A link to that run."),
        click.option("--uses", multiple=True, metavar="SELECTOR", help="A version that it was made from; may repeat."),
        click.option("--content", metavar="JSON", callback=_content, help="Anything else, as JSON."),
    )(function)


def _content(_: click.Context, __: click.Parameter, value: str | None) -> object:
    if value is None:
        return None
    try:
        return json.loads(value)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"the content is not JSON: {error}", """such as --content '{"k": "v"}'""") from error
