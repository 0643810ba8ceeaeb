"""Histories that were verified whole, on disk: a restart doesn't look at a thousand commits again.

In: for each repository and set of allowed keys the last commit that was good with everything before it. Out: the same,
as long as the keys are the same; with other keys nothing is proven. No network, no git.
"""

import threading
from pathlib import Path

import msgspec


class _Kept(msgspec.Struct):
    keyring: str = ""
    tips: dict[str, str] = {}


class Proven:
    """One instance a process; used on git's threads."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._kept = _load(file)
        self._writing = threading.Lock()

    def tip(self, keyring: str, mirror: Path, keys: tuple[str, ...]) -> str:
        """Give the last commit whose whole history is good; empty when there is none."""
        return self._kept.tips.get(_name(mirror, keys), "") if self._kept.keyring == keyring else ""

    def put(self, keyring: str, mirror: Path, keys: tuple[str, ...], revision: str) -> None:
        """Remember that a commit and all before it are good. What other keys proved is forgotten."""
        name = _name(mirror, keys)
        with self._writing:
            tips = dict(self._kept.tips) if self._kept.keyring == keyring else {}
            if tips.get(name) == revision:
                return
            self._kept = _Kept(keyring, {**tips, name: revision})
            self._file.parent.mkdir(parents=True, exist_ok=True)
            fresh = self._file.with_suffix(".new")
            fresh.write_bytes(msgspec.json.encode(self._kept))
            fresh.replace(self._file)


def _name(mirror: Path, keys: tuple[str, ...]) -> str:
    return " ".join((mirror.name, *sorted(keys)))


def _load(file: Path) -> _Kept:
    """What can't be read proves nothing."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=_Kept)
    except (FileNotFoundError, msgspec.DecodeError):
        return _Kept()
