"""The files that make shells complete: `python -m tests.completions` writes registry/completions/ anew."""

from __future__ import annotations

from pathlib import Path

from click.shell_completion import get_completion_class

from registry.cli import cli

HERE = Path(__file__).parents[1] / "registry" / "completions"
FILES = {"bash": "registry.bash", "zsh": "_registry", "fish": "registry.fish"}
# bash takes these for the ends of words, and churn@v1.2.0 for two of them.
_WORDS = {"bash": "COMP_WORDBREAKS=${COMP_WORDBREAKS//[@:=]}\n"}


def completion(shell: str) -> str:
    """What a shell reads, once, to complete `registry`."""
    kind = get_completion_class(shell)
    assert kind is not None
    return kind(cli, {}, "registry", "_REGISTRY_COMPLETE").source().strip() + "\n" + _WORDS.get(shell, "")


if __name__ == "__main__":
    for shell, name in FILES.items():
        (HERE / name).write_text(completion(shell))
