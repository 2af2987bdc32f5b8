"""The command line: one file a command. This page finds the command, and maps errors to exit codes (DESIGN part 5).

Only click is imported here. What a command needs is imported when it runs, so that `--help` and completion are quick;
that is why the commands' names and first words stand in this table as well (a test holds the two together).
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import PurePath

import click

from registry._version import __version__
from registry.errors import RegistryError, UsageError

SECTIONS: dict[str, dict[str, str]] = {
    "Begin": {
        "demo": "See the life of a model, in a repository made for it.",
        "init": "Write a manifest, registry.yaml.",
        "add": "Declare a model or another artifact in the manifest.",
        "remove": "Take an artifact out of the manifest.",
        "check": "Find every problem in the manifests.",
        "import": "Bring over what another registry knows.",
        "schema": "Print the manifest's JSON Schema, for editors.",
    },
    "Look": {
        "show": "List the artifacts, or the versions of one.",
        "resolve": "Print the version that a selector means.",
        "history": "List what happened, oldest first.",
        "diff": "Compare two versions.",
        "lineage": "Show what a version was made from, and what from it.",
        "stages": "List the stages, and what is in them.",
        "check-ref": "Say which event a tag is.",
        "status": "Compare the work tree with what is registered.",
        "doctor": "Find what is damaged or ambiguous.",
        "ui": "Show the registry in a browser.",
        "site": "Write the registry as pages.",
    },
    "Write": {
        "register": "Make a commit a version.",
        "assign": "Put a version into a stage.",
        "unassign": "Take a version out of a stage.",
        "rollback": "Put the version before back into a stage.",
        "annotate": "Add to what is known of a version.",
        "deregister": "Withdraw a version.",
        "deprecate": "Mark an artifact as no longer to be used.",
        "delete": "Delete tags for good.",
    },
    "Review and apply": {
        "plan": "Show the tags that apply would make of what the manifests want.",
        "apply": "Make the tags that the manifests want.",
        "review": "Say what a change of the manifests means.",
    },
    "Trust": {
        "approve": "Approve a version for a stage, in your signed name.",
        "verify": "Judge every event by its signature and by the policy.",
        "hook": "Guard a server.",
    },
    "Share": {
        "fetch": "Bring the remote's versions and stages.",
        "push": "Publish what was written here and not pushed yet.",
        "pull": "Bring the files of a version.",
        "copy": "Copy a version to another repository.",
        "transfer": "Move a version to another repository.",
    },
}
COMMANDS = {name: words for section in SECTIONS.values() for name, words in section.items()}
# What other registries, and Git, call it.
MEANT = {
    "promote": "assign", "demote": "unassign", "tag": "register", "list": "show", "ls": "show", "versions": "show",
    "log": "history", "audit": "verify", "download": "pull", "withdraw": "deregister", "lint": "check",
}  # fmt: skip


class Commands(click.Group):
    """The group that imports a command when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  (click asks so)
        """All names, in the order of the sections."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  (the same)
        """The command, imported now."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"registry.cli.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that was typed. Raises UsageError with the nearest name."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches  # for the mistaken alone

            close = [MEANT[args[0]]] if args[0] in MEANT else get_close_matches(args[0], COMMANDS, 1, 0.7)
            hint = f"did you mean {close[0]}?" if close else f"{ctx.info_name} --help lists the commands"
            raise UsageError(f"there is no command {args[0]}", hint)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  (the same)
        """The commands by section, from the table alone."""
        for section, commands in SECTIONS.items():
            with formatter.section(section):
                formatter.write_dl(list(commands.items()))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="git-registry %(version)s")
def cli() -> None:
    """A model registry that lives in a Git repository.

    Versions and stages are annotated tags, such as churn@v1.2.0 and churn#production#7. A selector names a version:
    churn@v1.2.0, churn@latest, churn@3, 'churn@^1.2', 'churn#production'. Put it into single quotes in a shell.
    """


def main() -> None:
    """Run the command line, and exit with the code that DESIGN part 5 gives."""
    gc.disable()  # a command has ended before looking for garbage pays: it took a third of reading 100,000 tags
    name = "git registry" if PurePath(sys.argv[0]).name == "git-registry" else "registry"
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a plain locale must not end a command
    sys.exit(run(sys.argv[1:], name))


def run(arguments: list[str], name: str = "registry") -> int:
    """Run one command line, called by `name`, and give its exit code."""
    asked = f"_{name.upper().replace(' ', '_')}_COMPLETE"
    if asked in os.environ:  # by a shell that completes a line
        cli.main(arguments, prog_name=name.replace(" ", "-"), complete_var=asked)
    try:
        with cli.make_context(name, list(arguments)) as context:  # cli.main would exit with codes of its own
            result = cli.invoke(context)
        if sys.stdout is not None:  # closed by `>&-`
            sys.stdout.flush()
    except click.exceptions.Exit as ended:  # --help and --version
        return ended.exit_code
    except RegistryError as error:
        return _fail(error.message, error.hint, 2 if isinstance(error, UsageError) else 1)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return 2
    except click.ClickException as error:
        return _fail(*_misspelt(error, name, arguments), 2)
    except (click.exceptions.Abort, KeyboardInterrupt):
        if sys.stderr is not None and sys.stderr.isatty():
            click.echo(err=True)  # after the terminal's own ^C
        return _fail("stopped", "", 130)
    except BrokenPipeError:
        _unread()  # the reader (head, less) has seen enough
        return 0
    except OSError as error:  # of the answer or of the machine: those of the repository are worded where they occur
        _unread()
        reason = error.strerror or str(error)
        return _fail(f"{error.filename}: {reason}" if error.filename else f"cannot go on: {reason}", "", 1)
    except Exception as error:
        if os.environ.get("REGISTRY_DEBUG"):
            raise
        return _fail(
            f"a bug in git-registry: {type(error).__name__}: {error}",
            "REGISTRY_DEBUG=1 shows where: report it with that",
            3,
        )
    return result if isinstance(result, int) else 0


def _unread() -> None:
    """What Python would still flush at its end goes nowhere."""
    sink = os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, 1)
    os.close(sink)


def _misspelt(error: click.ClickException, name: str, arguments: Sequence[str]) -> tuple[str, str]:
    """What click found wrong with the words of a command, in our style: a message and a hint."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    message = " ".join(error.format_message().split())  # of a choice, click puts one word on a line
    if context is None:
        hint = " ".join([name, *(word for word in arguments[:1] if word in COMMANDS), "--help"])
    else:
        usage = [context.command_path, *context.command.collect_usage_pieces(context)]
        for one in context.command.params:
            if isinstance(one, click.Option) and one.required:
                usage += [one.opts[0], one.make_metavar(context)]
        hint = f"{' '.join(word for word in usage if word != '[OPTIONS]')}; --help says more"
    if isinstance(error, click.NoSuchOption):
        message = f"no such option {error.option_name!r}"  # click's own words differ from version to version
        if error.option_name in {"-v", "-V"}:
            hint = f"{name} --version says which one this is"
        elif context is not None and context.parent is None:
            hint = f"options stand after the command: {name} show {error.option_name}; {name} --help lists the commands"
        elif close := _close(error):
            hint = f"did you mean {close}?"
    message = message.removesuffix(".").replace("\n", " ")
    return message[:1].lower() + message[1:], hint


def _close(error: click.NoSuchOption) -> str | None:
    """The option that was meant; click compares the dashes too, and finds --message close to --stage."""
    from difflib import get_close_matches

    bare = {name.lstrip("-"): name for name in error.possibilities or ()}
    found = get_close_matches(error.option_name.lstrip("-"), bare, 1, 0.7)
    return bare[found[0]] if found else None


def _fail(message: str, hint: str, code: int) -> int:
    from registry.core.text import safe  # for failures alone

    click.echo(f"error: {safe(message)}", err=True)
    if hint:
        click.echo(f"hint: {safe(hint)}", err=True)
    return code


__all__ = ["COMMANDS", "cli", "main", "run"]
