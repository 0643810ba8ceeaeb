"""`tiphys up --detach`: the same command in a session of its own, followed until it is ready or has failed.

Its output goes to `<data>/tiphys.log`; its progress comes over a pipe, so nothing is polled. A failed start leaves no
process.
"""

import os
import subprocess
import sys
from pathlib import Path

from services.stack import notify
from services.stack.notify import Report
from services.stack.options import Options, StackError

_LAST_LINES = 12


def arguments(options: Options) -> list[str]:
    """The command line of a foreground `up` with these options."""
    words = ["up", "--data", str(options.data), "--listen", _listen(options), "--namespace", options.namespace]
    named = {"--kubeconfig": options.kubeconfig, "--context": options.context, "--nats": options.nats}
    for flag, value in named.items():
        words += [flag, str(value)] if value is not None else []
    return [*words, "--node", options.node, *(["--git"] if options.git else [])]


def _listen(options: Options) -> str:
    host = f"[{options.host}]" if ":" in options.host else options.host
    return f"{host}:{options.port}"


def start(options: Options, report: Report) -> None:
    """Returns when the stack is ready; raises StackError with the end of its log when it is not going to be."""
    options.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    log = options.data / "tiphys.log"
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)
    with log.open("ab") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", "services.cli", *arguments(options)],
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, pass_fds=(writing,),
            cwd=Path(__file__).parents[2], env={**os.environ, notify.VARIABLE: str(writing)},
        )  # fmt: skip
    os.close(writing)
    try:
        ready = _followed(reading, report)
    except KeyboardInterrupt:
        child.terminate()
        child.wait()
        raise
    if not ready:
        child.wait()
        raise StackError(f"the stack did not start; the end of {log}:\n{tail(log)}")


def _followed(reading: int, report: Report) -> bool:
    with os.fdopen(reading, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if line.strip() == notify.READY:
                return True
            report(line.strip())
    return False


def tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-_LAST_LINES:])
