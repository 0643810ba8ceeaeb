"""What the pool tells about itself: how long calls took and waited, and how they ended."""

from shared.engines.errors import EngineCrashed, EngineFailure, EngineTimeout
from shared.telemetry import metrics

calls = metrics.seconds("engines_call", "Time in a worker, by operation and outcome", ("op", "outcome"))
waits = metrics.seconds("engines_wait", "Time until a worker was free")


def outcome_of(error: BaseException | None) -> str:
    """A few words only: they are a label."""
    match error:
        case None:
            return "ok"
        case EngineTimeout():
            return "timeout"
        case EngineCrashed():
            return "crashed"
        case EngineFailure():
            return "refused"
        case _:
            return "abandoned"
