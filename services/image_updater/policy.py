"""What is wanted of one image: the rules by which a tag is chosen, and where its name and tag go. Data only."""

from dataclasses import dataclass, field
from enum import StrEnum

from shared.kinds.imageupdater import CosignKey

CALVER = r"^v?(?P<year>\d{2}|\d{4})[.-](?P<month>\d{1,2})(?:[.-](?P<day>\d{1,2}))?(?:[.-](?P<build>\d+))?$"


class Strategy(StrEnum):
    SEMVER = "semver"
    NEWEST_BUILD = "newest-build"
    ALPHABETICAL = "alphabetical"
    DIGEST = "digest"
    NUMERICAL = "numerical"
    CALVER = "calver"


ALIASES = {"latest": Strategy.NEWEST_BUILD, "name": Strategy.ALPHABETICAL}


def strategy_of(text: str) -> Strategy | None:
    """None: nobody knows this one."""
    name = text.strip().lower()
    return ALIASES.get(name) or next((one for one in Strategy if one == name), None)


@dataclass(frozen=True, slots=True)
class Policy:
    """`pattern` and `extract` are for numerical and calver: groups of an expression, ordered by their numbers."""

    strategy: Strategy = Strategy.SEMVER
    constraint: str = ""
    allow: str = ""
    ignore: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    pattern: str = ""
    extract: str = ""
    pin_digest: bool = False
    no_downgrade: bool = False
    minimum_age_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class HelmKeys:
    """Parameters, or keys of a values file. `spec` takes name and tag together and goes first."""

    name: str = ""
    tag: str = ""
    spec: str = ""


@dataclass(frozen=True, slots=True)
class KustomizeName:
    """The image's name in the manifests, where it differs from the one that runs."""

    name: str = ""


@dataclass(frozen=True, slots=True)
class PluginKeys:
    name: str = ""
    tag: str = ""
    spec: str = ""


Keys = HelmKeys | KustomizeName | PluginKeys


@dataclass(frozen=True, slots=True)
class WantedImage:
    """`written` is the repository as people wrote it, `image` the same in full. `problem`: it can't be followed."""

    alias: str
    written: str
    image: str
    policy: Policy = field(default_factory=Policy)
    force: bool = False
    pull_secret: str = ""
    keys: Keys | None = None
    cosign: CosignKey | None = None
    warnings: tuple[str, ...] = ()
    problem: str = ""
