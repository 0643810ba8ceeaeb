"""After a failure nobody asks for a while: for each way to a repository, how long, and how it failed.

The `ETag` of a way's last list stands here too, because it is of no use after a failure.
"""

import time
from dataclasses import dataclass

from services.registry_watcher import pauses
from services.registry_watcher.interest import Way
from shared.oci.errors import NotFound, OciFailure, RateLimited


@dataclass
class _Hold:
    until: float = 0.0
    failures: int = 0
    failure: OciFailure | None = None


class Holds:
    """One instance for each repository."""

    def __init__(self) -> None:
        self._holds: dict[Way, _Hold] = {}
        self._etags: dict[Way, str] = {}

    @property
    def failing(self) -> bool:
        return bool(self._holds)

    def check(self, way: Way) -> None:
        """Raises the last failure while it isn't time to ask again."""
        hold = self._holds.get(way)
        if hold is None or hold.failure is None:
            return
        left = hold.until - time.monotonic()
        if left > 0:
            if isinstance(hold.failure, RateLimited):
                raise RateLimited(str(hold.failure), left)
            raise hold.failure.with_traceback(None)

    def failed(self, way: Way, failure: OciFailure) -> bool:
        """True when it failed in another way than before, so that it is said once."""
        hold = self._holds.setdefault(way, _Hold())
        if hold.failure is failure:
            return False
        news = type(hold.failure) is not type(failure)
        hold.failures += 1
        hold.until = time.monotonic() + pauses.hold(failure, hold.failures)
        hold.failure = failure
        self._etags.pop(way, None)
        return news

    def succeeded(self, way: Way) -> None:
        self._holds.pop(way, None)

    def release(self) -> None:
        """Something has changed, credentials perhaps: the next one who asks may try."""
        for hold in self._holds.values():
            hold.until = 0.0

    def appeared(self) -> None:
        """Somebody says that there is something now: that there was nothing is no reason to wait any more."""
        self._holds = {way: hold for way, hold in self._holds.items() if not isinstance(hold.failure, NotFound)}

    def left(self) -> float:
        """Seconds until the first way may be tried again; 0 when one may be tried now."""
        return max(0.0, min((hold.until for hold in self._holds.values()), default=0.0) - time.monotonic())

    def etag(self, way: Way) -> str:
        return self._etags.get(way, "")

    def listed(self, way: Way, etag: str) -> None:
        self._etags = {way: etag} if etag else {}
