"""What a check found. Data only."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """`ok` with a note is worth knowing; not `ok` comes with what to do."""

    ok: bool
    what: str
    advice: str = ""

    @property
    def mark(self) -> str:
        return "✓" if self.ok else "✗"


def well(what: str, advice: str = "") -> Finding:
    return Finding(True, what, advice)


def wrong(what: str, advice: str) -> Finding:
    return Finding(False, what, advice)
