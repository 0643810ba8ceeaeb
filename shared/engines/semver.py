"""Versions and constraints as Masterminds semver reads them: `^1.2`, `~1`, `1.x`, `>=1 <2`, `a || b`, `1.2 - 1.4`.

Texts that are no versions are left out. Reason: ConstraintInvalid.
"""

from collections.abc import Sequence
from typing import NamedTuple

from shared.engines.client import Engines


class Version(NamedTuple):
    """A version's parts."""

    major: int
    minor: int
    patch: int
    prerelease: str
    metadata: str


async def best(engines: Engines, constraint: str, versions: Sequence[str], *, prereleases: bool = False) -> str | None:
    """The highest version that satisfies the constraint, in its own spelling."""
    found = await matching(engines, constraint, versions, prereleases=prereleases)
    return found[-1] if found else None


async def matching(
    engines: Engines, constraint: str, versions: Sequence[str], *, prereleases: bool = False
) -> list[str]:
    """Those that satisfy the constraint, ascending."""
    args = {"constraint": constraint, "versions": list(versions), "prereleases": prereleases}
    found: list[str] = await engines.call("semver.matching", args)
    return found


async def satisfied(engines: Engines, constraint: str, versions: Sequence[str]) -> list[bool]:
    """For each text: is it a version that satisfies the constraint?"""
    found: list[bool] = await engines.call("semver.check", {"constraint": constraint, "versions": list(versions)})
    return found


async def ordered(engines: Engines, versions: Sequence[str], *, strict: bool = False) -> list[str]:
    """The versions ascending; equal ones in the order of their texts. `strict`: all three numbers and no `v`."""
    found: list[str] = await engines.call("semver.sort", {"versions": list(versions), "strict": strict})
    return found


async def parse(engines: Engines, versions: Sequence[str], *, strict: bool = False) -> list[Version | None]:
    """The parts of each text; None for what is no version."""
    found = await engines.call("semver.parse", {"versions": list(versions), "strict": strict})
    return [None if each is None else Version(*each) for each in found]
