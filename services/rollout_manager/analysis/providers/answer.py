"""What a provider gives back, and how it fails. Data only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from services.rollout_manager.analysis import Phase


class ProviderError(Exception):
    """The provider could not be asked, or what it said means nothing."""


@dataclass(frozen=True)
class Answer:
    """`value` is what conditions see as `result`; `text` what the status shows. `phase`: the provider judged itself;
    `empty`: there was no data, whatever it made of that.
    """

    value: Any = None
    text: str = ""
    phase: Phase | None = None
    message: str = ""
    empty: bool = False
    metadata: Mapping[str, str] = field(default_factory=dict)
