"""How long to wait: between polls, and after failures. Pure; chance and clock are given."""

from shared.oci.errors import OciFailure, RateLimited

FIRST_SECONDS = 1.0
REFUSED_SECONDS = 30.0
LONGEST_SECONDS = 600.0
JITTER = 0.1


def hold(failure: OciFailure, failures: int) -> float:
    """Seconds in which a repository that failed is not asked again, however often someone wants to know.

    What only a person can put right (credentials, names) is asked rarely; the rest backs off; a registry that says
    when to come back is taken at its word.
    """
    if isinstance(failure, RateLimited):
        return failure.retry_after
    if not failure.retriable:
        return min(LONGEST_SECONDS, REFUSED_SECONDS * failures)
    return min(LONGEST_SECONDS, FIRST_SECONDS * 2.0 ** min(failures - 1, 10))


def until_next_poll(interval: float, chance: float, held: float = 0.0) -> float:
    """The interval, spread by `chance` (0..1) so that not all come at once; after a failure the end of its hold."""
    spread = 1.0 + JITTER * (2.0 * chance - 1.0)
    return held + 0.1 if held else interval * spread


def first_poll(interval: float, chance: float, *, known: bool) -> float:
    """At once for what was never listed; what is known already waits its share of the interval, as after a restart."""
    return interval * chance if known else 0.0
