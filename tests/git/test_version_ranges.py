"""Ranges over tags are read by the engines' own semver library."""

import pytest

from services.git_watcher.versions import highest_by
from shared.engines.client import Engines

TAGS = ("v1.0.0", "1.2.0", "1.10.1", "2.0.0-rc.1", "v2.0.0", "nightly", "release-3")


@pytest.mark.parametrize(
    ("constraint", "expected"),
    [
        ("1.*", "1.10.1"),
        ("~1.2.0", "1.2.0"),
        ("^1", "1.10.1"),
        (">=1.0.0 <1.5.0", "1.2.0"),
        ("*", "v2.0.0"),
        (">3", None),
        ("feature, x", None),
    ],
)
async def test_the_highest_version_in_a_range_wins(engines: Engines, constraint: str, expected: str | None) -> None:
    async def given() -> Engines:
        return engines

    assert await highest_by(given)(constraint, TAGS) == expected
