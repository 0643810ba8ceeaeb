"""Gates: what a pause of a Rollout waits for, beside time and people who promote: a person's approval with who and why,
a time window, a webhook that has to answer.

They stand in an annotation of the Rollout, for a field would be cut off where Argo Rollouts' own definitions are
installed; each hangs on a pause step, which Argo Rollouts would wait at for a person. `written.py` reads the
annotation, `judge.py` decides (both pure), `webhooks.py` asks in the background and remembers the answers: a pass never
waits for one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from services.rollout_manager.keys import Obj
from shared.kinds.windows import Timed

GATES = "tiphys.dev/gates"
APPROVALS = "tiphys.dev/approvals"
PROMOTION = "promotion"
Place = int | str


class Said(StrEnum):
    """What a webhook's answer means. Silent: there was none that could be understood."""

    OPEN = "open"
    REFUSED = "refused"
    SILENT = "silent"


class Answer(NamedTuple):
    """`pause` names the one it was asked for, and who was asked: gates may be edited meanwhile."""

    said: Said
    message: str
    at: datetime
    pause: str


class Question(NamedTuple):
    """One webhook gate to ask now; `gate` is its position in the annotation."""

    gate: int
    pause: str
    body: Obj


@dataclass(frozen=True)
class Facts:
    """What was seen of gates, each by its position in the annotation: the times of windows, the newest answers."""

    times: Mapping[int, Timed] = field(default_factory=dict)
    answers: Mapping[int, Answer] = field(default_factory=dict)


NO_FACTS = Facts()
