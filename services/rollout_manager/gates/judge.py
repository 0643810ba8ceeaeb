"""Do the gates of a pause let the Rollout pass, and what does it wait for? Pure.

All gates of a pause have to be open at once. A webhook that refuses ends the update only if its gate says so; one that
does not answer never does.
"""

from datetime import timedelta

from services.rollout_manager.analyses import abort
from services.rollout_manager.draft import Draft
from services.rollout_manager.gates import PROMOTION, Place, Question, Said
from services.rollout_manager.gates.written import Gate, Webhook, Window, approvals_of, gates_of
from services.rollout_manager.state import GATE_PAUSE
from shared.clock import rfc3339
from shared.events import DELIVERY
from shared.kinds.durations import seconds

LOOK_AGAIN = 60.0


def place_of(draft: Draft) -> Place:
    """Where the Rollout is, as gates name it."""
    return (draft.state.index or 0) if draft.is_canary else PROMOTION


def here(draft: Draft) -> list[tuple[int, Gate]]:
    """The gates of this place, with their positions."""
    place = place_of(draft)
    gates = gates_of(draft.seen.rollout.metadata.annotations)
    return [(position, gate) for position, gate in enumerate(gates) if gate.step == place]


def judge(draft: Draft) -> None:
    """Abort where a webhook has refused and its gate asks for that."""
    pause = pause_of(draft)
    if not pause or draft.halted:
        return
    for position, gate in here(draft):
        answer = draft.seen.gates.answers.get(position)
        if gate.webhook is None or gate.webhook.on_refusal != "abort" or answer is None:
            continue
        if answer.pause == f"{pause} {gate.webhook.url}" and answer.said is Said.REFUSED:
            abort(draft, f"webhook {gate.webhook.shown} refused: {answer.message}")


def passed(draft: Draft) -> bool:
    """Whether nothing here is waited for any more; else say for what."""
    gates = here(draft)
    if not gates:
        return True
    if GATE_PAUSE not in draft.state.pauses:
        draft.state.pauses.clear()
        draft.pause(GATE_PAUSE)
        draft.say("RolloutPaused", f"Rollout is paused ({GATE_PAUSE})", what="paused")
    draft.waits_for = [words for position, gate in gates if (words := waits(draft, position, gate))]
    if draft.waits_for:
        return False
    given = approval(draft) if any(gate.approval is not None for _, gate in gates) else None
    who = f": approved by {given.get('by')}: {given.get('reason')}" if given else ""
    draft.state.pauses.pop(GATE_PAUSE)
    draft.state.controller_pause = False
    draft.resumed += who
    return True


def pause_of(draft: Draft) -> str:
    """Names the pause that is waited in, so that what was said in another one counts no more."""
    since = draft.state.pauses.get(GATE_PAUSE)
    return f"{draft.seen.hash} {since}" if since else ""


def waits(draft: Draft, position: int, gate: Gate) -> str:
    """What a gate waits for; empty: it is open."""
    if gate.window is not None:
        return _window(draft, position, gate.window)
    if gate.webhook is not None:
        return _webhook(draft, position, gate.webhook)
    return "" if approval(draft) else "approval (tiphys rollout approve)"


def approval(draft: Draft) -> dict[str, str] | None:
    """The approval of this very pause."""
    wanted = (draft.seen.hash, place_of(draft), draft.state.pauses.get(GATE_PAUSE))
    given = approvals_of(draft.seen.rollout.metadata.annotations)
    return next((one for one in given if (one.get("hash"), one.get("step"), one.get("since")) == wanted), None)


def _window(draft: Draft, position: int, window: Window) -> str:
    name = f"window '{window.schedule}'{f' {window.time_zone}' if window.time_zone else ''} for {window.duration}"
    timed = draft.seen.gates.times.get(position)
    if timed is None or timed.problem:
        draft.wake_in(LOOK_AGAIN)  # the engines that read schedules may have failed
        return f"{name} can't be read: {timed.problem if timed else 'it was not looked at'}"
    if timed.is_open(draft.now):
        return ""
    opens = next((span.opens for span in timed.spans if span.opens > draft.now), None)
    if opens is None:
        return f"{name}: it never opens"
    draft.wake(opens)
    return f"{name} opens at {rfc3339(opens)}"


def _webhook(draft: Draft, position: int, webhook: Webhook) -> str:
    """Its newest answer; it is asked when there is none for this pause, and again after each interval."""
    pause = f"{pause_of(draft)} {webhook.url}"
    answer = draft.seen.gates.answers.get(position)
    if answer is None or answer.pause != pause:
        draft.ask[position] = Question(position, pause, body(draft))
        return f"webhook {webhook.shown}: no answer yet"
    due = answer.at + timedelta(seconds=seconds(webhook.interval))
    if due <= draft.now:
        draft.ask[position] = Question(position, pause, body(draft))
    else:
        draft.wake(due)
    if answer.said is Said.OPEN:
        return ""
    how = "refused" if answer.said is Said.REFUSED else "did not answer"
    return f"webhook {webhook.shown} {how}: {answer.message}"


def body(draft: Draft) -> dict[str, object]:
    """What a webhook is told."""
    metadata = draft.seen.rollout.metadata
    return {
        "namespace": metadata.namespace,
        "rollout": metadata.name,
        "uid": metadata.uid,
        "revision": draft.revision,
        "hash": draft.seen.hash,
        "stableHash": draft.state.stable,
        "step": place_of(draft),
        "waitingSince": draft.state.pauses.get(GATE_PAUSE),
        "delivery": metadata.annotations.get(DELIVERY, ""),
    }
