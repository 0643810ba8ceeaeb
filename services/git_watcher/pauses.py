"""How long to wait: between polls, and after failures. Pure; chance and clock are given."""

from shared.git.errors import GitFailure, RepositoryUnreachable

FIRST_SECONDS = 1.0
REFUSED_SECONDS = 30.0
LONGEST_SECONDS = 300.0
JITTER = 0.1


def hold(failure: GitFailure, failures: int) -> float:
    """Seconds in which a failed repository is not asked again, however often someone wants to know.

    What only a person can put right (credentials, address) is asked rarely; the rest backs off.
    """
    if not failure.retriable:
        return min(LONGEST_SECONDS, REFUSED_SECONDS * failures)
    asked_for = failure.retry_after if isinstance(failure, RepositoryUnreachable) else None
    backoff = FIRST_SECONDS * 2.0 ** min(failures - 1, 10)
    return min(LONGEST_SECONDS, max(asked_for or 0.0, backoff))


def until_next_poll(interval: float, chance: float, held: float = 0.0) -> float:
    """The interval, spread by `chance` (0..1) so that not all come at once; after a failure the end of its hold."""
    spread = 1.0 + JITTER * (2.0 * chance - 1.0)
    return held + 0.1 if held else interval * spread
