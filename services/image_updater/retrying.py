"""What is said when work failed and is tried again: a line, without a traceback where the cause is known."""

from services.image_updater.refusals import Refused
from shared.kube import ApiError
from shared.telemetry import get_logger

log = get_logger()


def quietly(key: object, error: Exception, pause: float) -> None:
    known = isinstance(error, ApiError | Refused)
    log.warning(
        "will be tried again",
        key=str(key),
        error=str(error),
        pause_seconds=round(pause, 3),
        exc_info=None if known else error,
    )
