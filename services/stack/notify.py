"""How a start tells its progress: lines on a terminal, or on the pipe of the `tiphys up --detach` that waits for it.

The pipe carries one line a step and `ready` at the end; when it closes without that word, the start has failed.
"""

import os
import sys
from collections.abc import Callable

Report = Callable[[str], None]
VARIABLE = "TIPHYS_NOTIFY_FD"
READY = "ready"


def reporter() -> Report:
    """Where this process tells its progress; the variable is taken, so that no child writes there."""
    told = os.environ.pop(VARIABLE, None)
    return _to_pipe(int(told)) if told else to_terminal


def to_terminal(line: str) -> None:
    print(f"==> {line}", file=sys.stderr, flush=True)  # noqa: T201 - a person is watching


def _to_pipe(descriptor: int) -> Report:
    """A reader that has gone away is no reason to stop."""

    def report(line: str) -> None:
        try:
            os.write(descriptor, line.replace("\n", " ").encode() + b"\n")
        except OSError:
            return
        if line == READY:
            os.close(descriptor)

    return report
