"""`tiphys down`: asks the stack's process to stop and waits; what a killed stack left behind is ended too. Data
stays.
"""

import os
import select
import signal
from pathlib import Path

from services.stack import state
from services.stack.notify import Report
from services.stack.state import Process, StackState

STOP_WITHIN = 40.0


def down(data: Path, report: Report) -> bool:
    """Whether there was anything to stop."""
    found = state.recorded(data)
    if found is None:
        return False
    was_running = stop(found.process, report, STOP_WITHIN)
    left = end_helpers(found, report)
    state.remove(data)
    return was_running or left


def stop(process: Process, report: Report, within: float) -> bool:
    """Ends a process and waits until it is gone; False: it was not there."""
    if not state.alive(process):
        return False
    descriptor = os.pidfd_open(process.pid)
    try:
        signal.pidfd_send_signal(descriptor, signal.SIGTERM)
        if not _gone(descriptor, within):
            report(f"{process.name} did not stop within {within:.0f} s and is killed")
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            _gone(descriptor, within)
    finally:
        os.close(descriptor)
    return True


def _gone(descriptor: int, within: float) -> bool:
    return bool(select.select([descriptor], [], [], within)[0])


def end_helpers(found: StackState, report: Report) -> bool:
    """What a stack that was killed could not stop itself."""
    left = [helper for helper in found.helpers if state.alive(helper)]
    for helper in left:
        report(f"ending {helper.name}, left over from a stack that was killed")
        stop(helper, report, 10.0)
    return bool(left)
