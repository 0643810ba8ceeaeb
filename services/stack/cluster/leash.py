"""Starts one program so that it can't be forgotten; run as a script, without our packages, because it starts six
times.

`leash.py tied <parent> <log> <command...>` becomes the command; the kernel kills it when the parent ends, however it
ends. `leash.py free <log> <command...>` starts the command in a session of its own, prints its id and ends.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    if arguments[0] == "tied":
        _tie_to(int(arguments[1]))
        _become(arguments[2], arguments[3:])
    os.setsid()
    if child := os.fork():
        os.write(1, str(child).encode())
        os._exit(0)
    _become(arguments[1], arguments[2:])


def _tie_to(parent: int) -> None:
    os.setsid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _become(log: str, command: list[str]) -> None:
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    silence = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((silence, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    os.execv(command[0], command)  # noqa: S606 - the whole purpose


if __name__ == "__main__":
    main(sys.argv[1:])
