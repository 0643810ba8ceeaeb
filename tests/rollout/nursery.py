"""Begins `tiphys` processes within milliseconds: everything is imported already when one is forked.

python -m tests.rollout.nursery LOG     reads command lines as JSON from stdin, writes the process ids to stdout
"""

import json
import os
import signal
import sys
from pathlib import Path

# what a life needs is imported once, here
import services.cli.stacks
import services.cli.target
import services.rollout_manager.app
import services.stack.alone  # noqa: F401
import shared.engines.build
import shared.engines.client
import shared.kube.client  # noqa: F401
from services.cli.root import main


def live(arguments: list[str], log: int) -> None:
    """As a process of its own, in a group of its own."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(log, stream.fileno())
    sys.argv = ["tiphys", *arguments]
    main()


def serve(log: int) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            os.setpgid(0, 0)
            live(json.loads(line), log)
        os.setpgid(pid, pid)  # on both sides: whoever hears of it may kill the group at once
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve(os.open(Path(sys.argv[1]), os.O_CREAT | os.O_APPEND | os.O_WRONLY))
