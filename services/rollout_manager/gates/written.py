"""The annotation that holds a Rollout's gates, and the one that holds approvals: read, and all that is wrong. Pure.

Nothing in it is passed over: a gate that nobody understands would be an open one.
"""

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

import orjson

from services.rollout_manager.gates import APPROVALS, GATES, PROMOTION, Place
from services.rollout_manager.keys import Obj
from shared import yamlio
from shared.kinds.appproject import SyncWindow
from shared.kinds.durations import seconds
from shared.kinds.rollout import Rollout
from shared.kinds.windows import problem_of
from shared.kinds.wire import InvalidObject, Wire, unknown_fields

KINDS = ("approval", "window", "webhook")
SHORTEST = 1.0
FIELD = f'metadata.annotations["{GATES}"]'


class Approval(Wire):
    """A person has to say so, and why."""


class Window(Wire):
    """Open from each time of a cron schedule for a duration."""

    schedule: str = ""
    duration: str = ""
    time_zone: str = ""

    def as_window(self) -> SyncWindow:
        return SyncWindow(kind="allow", schedule=self.schedule, duration=self.duration, time_zone=self.time_zone)


class TokenFrom(Wire):
    """A key of a Secret in the Rollout's namespace, sent as a bearer token."""

    name: str = ""
    key: str = ""


class Webhook(Wire):
    """Asked by POST, again after each `interval` until it lets the Rollout pass. `onRefusal`: wait or abort."""

    url: str = ""
    interval: str = "30s"
    timeout: str = "10s"
    on_refusal: str = "wait"
    token_from: TokenFrom | None = None

    @property
    def shown(self) -> str:
        """The address without what may be secret in it."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.hostname}{parts.path}"


class Gate(Wire):
    """`step`: the index of a pause among the canary's steps, or `promotion` of a blue-green Rollout."""

    step: Place
    approval: Approval | None = None
    window: Window | None = None
    webhook: Webhook | None = None


def gates_of(annotations: Mapping[str, str]) -> tuple[Gate, ...]:
    """Raises InvalidObject with every problem of what is written."""
    text = annotations.get(GATES)
    if not text:
        return ()
    try:
        found = yamlio.load_all(text.encode(), GATES)
    except yamlio.YamlError as error:
        raise InvalidObject((str(error),)) from error
    if len(found) != 1 or not isinstance(found[0], list):
        raise InvalidObject(("is no list of gates",))
    gates, problems = [], []
    for position, one in enumerate(found[0]):
        try:
            gate = Gate.parse(_without_empty(one))
        except InvalidObject as error:
            problems += [f"[{position}].{problem}" for problem in error.problems]
            continue
        problems += [f"[{position}]{problem}" for problem in _problems(gate)]
        gates.append(gate)
    if problems:
        raise InvalidObject(tuple(problems))
    return tuple(gates)


def _without_empty(one: object) -> Obj:
    """`approval:` with nothing after it means one without options."""
    if not isinstance(one, Mapping):
        raise InvalidObject(("is no gate",))
    return {str(name): {} if name == "approval" and value is None else value for name, value in one.items()}


def _problems(gate: Gate) -> Iterator[str]:
    yield from (f".{name}: nobody knows this field" for name in unknown_fields(gate))
    if sum(getattr(gate, name) is not None for name in KINDS) != 1:
        yield f": a gate is exactly one of {', '.join(KINDS)}"
    if gate.window is not None and (problem := problem_of(gate.window.as_window())):
        yield f".window: {problem}"
    if gate.webhook is not None:
        yield from (f".webhook.{problem}" for problem in _webhook(gate.webhook))


def _webhook(one: Webhook) -> Iterator[str]:
    try:
        parts = urlsplit(one.url)
        well = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        well = False
    if not well:
        yield "url: must begin with http:// or https:// and name a host"
    for name in ("interval", "timeout"):
        try:
            if seconds(getattr(one, name)) < SHORTEST:
                yield f"{name}: must be 1s or more"
        except ValueError as error:
            yield f"{name}: {error}"
    if one.on_refusal not in {"wait", "abort"}:
        yield f"onRefusal: is wait or abort, not {one.on_refusal!r}"
    if one.token_from is not None and not (one.token_from.name and one.token_from.key):
        yield "tokenFrom: needs the name of a Secret and its key"


def problems(rollout: Rollout) -> Iterator[str]:
    """What is wrong with a Rollout's gates, and where they hang."""
    try:
        gates = gates_of(rollout.metadata.annotations)
    except InvalidObject as error:
        yield from (f"{FIELD}{'' if problem.startswith('[') else ': '}{problem}" for problem in error.problems)
        return
    canary = rollout.spec.strategy.canary
    pauses = {at for at, step in enumerate(canary.steps) if step.pause is not None} if canary else {PROMOTION}
    for position, gate in enumerate(gates):
        if gate.step not in pauses:
            known = ", ".join(map(str, sorted(pauses, key=str))) or "none"
            yield f"{FIELD}[{position}].step: {gate.step!r} is no pause of this Rollout; there is {known}"


def approvals_of(annotations: Mapping[str, str]) -> list[Obj]:
    """The approvals that were given, the newest last. Text that is none approves nothing."""
    try:
        found = orjson.loads(annotations.get(APPROVALS) or "[]")
    except orjson.JSONDecodeError:
        return []
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
