"""`python -m registry.action`: one step of a workflow."""

from __future__ import annotations

import io
import os
import signal
import sys
import traceback
from pathlib import Path

from registry.action.runner import TOKENS, Mode, Runner, read
from registry.action.say import Voice
from registry.errors import RegistryError
from registry.markdown import code


def main() -> int:
    """Do what the event asks for; the step's exit code: 0 done, 1 refused or not found, 3 a bug of ours."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")  # what a runner reads
    files = (os.environ.get(name) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"))
    voice = Voice(sys.stdout, *(Path(file) if file else None for file in files))
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, _cancel)
    with voice.quoted():
        try:
            runner = read(os.environ)
            for name in TOKENS:
                os.environ.pop(name, None)  # no child needs it as it is
            voice.check()
            return _run(runner, voice)
        except RegistryError as error:
            words = error.message + (f" (hint: {error.hint})" if error.hint else "")
            voice.annotate("error", words, title="git-registry")
            voice.summary(f"## git-registry failed\n\n{code(words)}")
            return 1
        except KeyboardInterrupt:
            voice.annotate("error", "the step was cancelled", title="git-registry")
            return 130
        except Exception as error:  # noqa: BLE001  (whatever it is, commands have to be on again for the next step)
            voice.log(traceback.format_exc())
            voice.annotate("error", f"a bug in git-registry: {type(error).__name__}: {error}; report it with the log")
            return 3


def _cancel(*_: object) -> None:
    """Where a job is cancelled, a runner says so by SIGINT first and by SIGTERM a little later. The first one ends what
    is under way, and the second finds us telling what was published."""
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, signal.SIG_IGN)
    raise KeyboardInterrupt


def _run(runner: Runner, voice: Voice) -> int:
    from registry.action import apply, event, review, site, verify
    from registry.action.checkout import prepare
    from registry.api import Registry

    mode = runner.mode
    if mode is Mode.NOTHING:
        return apply.nothing(runner, voice)
    where = Path(runner.workspace) / runner.inputs.repository_path
    registry = Registry(where, on_note=lambda note: voice.log(f"note: {note}"))
    registry.repository.trusted = True  # actions/checkout with an ssh-key names the ssh to run
    os.environ.update(prepare(registry.repository.git, runner, os.environ))
    verbs = {
        Mode.EVENT: event.event,
        Mode.REVIEW: review.review,
        Mode.APPLY: apply.apply,
        Mode.SITE: site.site,
        Mode.VERIFY: verify.verify,
    }
    return verbs[mode](registry, runner, voice)


if __name__ == "__main__":
    sys.exit(main())
