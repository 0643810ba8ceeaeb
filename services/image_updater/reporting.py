"""What became of images, told: memory on the bus, `delivery.image.updated`, Kubernetes Events, the ImageUpdater's turn.

A failure to tell never undoes what was written; the next pass tells again. What is announced and not yet remembered is
announced once more, under the same id.
"""

from collections.abc import Mapping, Sequence

from services.image_updater import measures, parts
from services.image_updater.book import Hold, rule_of
from services.image_updater.changing import Change
from services.image_updater.deciding import held, went_back
from services.image_updater.keys import AppKey, ImageKey, Version
from services.image_updater.messages import by_application
from services.image_updater.parts import ImageState, Parts, Recent
from services.image_updater.policy import WantedImage
from services.image_updater.refusals import FIRST_RETRY, Refused
from services.image_updater.ruling import Rule
from services.image_updater.view import AppView, live_versions
from services.image_updater.writer import Outcome
from shared.bus import BusError
from shared.clock import now, rfc3339
from shared.events import ImageUpdated
from shared.kube import ApiError, verbs
from shared.telemetry import get_logger
from shared.telemetry.trace import traced

log = get_logger()
HELD_NOTE = "image-updater.tiphys.dev/held"
EVENT = "argocd-image-updater.image-"


async def report(the: Parts, outcome: Outcome) -> None:
    """What the writer or the Application's patch brought."""
    for change in outcome.changes:
        if outcome.refused is not None:
            _refuse_change(the, change, outcome.refused)
    if outcome.refused is None:
        await _written_or_later(the, outcome)
    for key in {change.key.app for change in outcome.changes}:
        _owner_reports(the, key)


def _refuse_change(the: Parts, change: Change, refused: Refused) -> None:
    view = the.views.get(change.key.app)
    if view is not None:
        refuse(the, view, change.image, refused)
    if refused.retriable:
        the.queue.add_after(change.key.app, max(refused.retry_after, FIRST_RETRY))


async def _written_or_later(the: Parts, outcome: Outcome) -> None:
    try:
        await _written(the, outcome)
    except BusError as error:
        log.warning("what was written is told later", commit=outcome.commit, error=str(error))
        for key in {change.key.app for change in outcome.changes}:
            the.queue.add_after(key, FIRST_RETRY)


async def _written(the: Parts, outcome: Outcome) -> None:
    """Each is told once: what was written before, and waits to be synced, is no news."""
    news = [one for one in outcome.changes if the.book.memory(one.key).version != one.new]
    for change in outcome.changes:
        where = outcome.pull_request or outcome.branch or "the Application"
        message = f"written to {where}, and waits to be synced"
        the.keep(change.key, ImageState(parts.WRITTEN, change.old, change.new, message=message, at=now()))
    if outcome.commit or not outcome.repo:
        await _announce(the, outcome, news)
    for change in news:
        await the.book.wrote(change.key, change.new, rule_of(change.image.policy))
        measures.updated.inc()
    for app, changes in by_application(news).items():
        _say(the, app, changes)


async def _announce(the: Parts, outcome: Outcome, news: Sequence[Change]) -> None:
    for group in _alike(news):
        first = group[0]
        with traced(first.delivery):
            await the.bus.publish(_event(outcome, group))
        _note_recent(the, outcome, group)


def _alike(changes: Sequence[Change]) -> list[list[Change]]:
    """Those of one image that went from the same version to the same."""
    found: dict[tuple[str, str, Version, Version], list[Change]] = {}
    for change in changes:
        found.setdefault((change.key.alias, change.image.image, change.old, change.new), []).append(change)
    return list(found.values())


def _event(outcome: Outcome, group: Sequence[Change]) -> ImageUpdated:
    first = group[0]
    return ImageUpdated(
        delivery=first.delivery,
        applications=tuple(sorted(str(change.key.app) for change in group)),
        alias=first.key.alias,
        image=first.image.image,
        old_tag=first.old.tag,
        old_digest=first.old.digest,
        new_tag=first.new.tag,
        new_digest=first.new.digest,
        method="pull-request" if outcome.pull_request else "git" if outcome.repo else "argocd",
        repo=outcome.repo,
        branch=outcome.branch,
        commit=outcome.commit,
        pull_request=outcome.pull_request,
    )


def _note_recent(the: Parts, outcome: Outcome, group: Sequence[Change]) -> None:
    first, where = group[0], outcome.pull_request or outcome.commit or "the Application"
    for owner, some in _by_owner(the, group).items():
        message = f"{first.old or 'nothing'} -> {first.new} in {where}"
        the.recent[owner].appendleft(
            Recent(first.key.alias, first.image.written, str(first.new), some, rfc3339(now()), message)
        )


def _by_owner(the: Parts, group: Sequence[Change]) -> dict[AppKey, int]:
    found: dict[AppKey, int] = {}
    for change in group:
        rule = the.rules.get(change.key.app)
        if rule is not None and rule.updater is not None:
            found[rule.updater] = found.get(rule.updater, 0) + 1
    return found


def _say(the: Parts, app: AppKey, changes: Sequence[Change]) -> None:
    """Argo CD Image Updater's Event, which notifications and scripts look for."""
    view = the.views.get(app)
    if view is None:
        return
    lines, notes = list[str](), dict[str, str]()
    for number, change in enumerate(changes):
        lines.append(f"{change.image.written}{change.old.suffix if any(change.old) else ''} -> {change.new}")
        notes |= {
            f"{EVENT}{number}/full-image-name": f"{change.image.image}{change.new.suffix}",
            f"{EVENT}{number}/image-name": change.image.written,
            f"{EVENT}{number}/old-tag": str(change.old),
            f"{EVENT}{number}/new-tag": str(change.new),
        }
    text = f"Successfully updated application '{app.name}': {', '.join(lines)}"
    the.recorder.record(view.reference(), "ImagesUpdated", text, annotations=notes)


def refuse(the: Parts, view: AppView, image: WantedImage, refused: Refused) -> None:
    """An image could not be updated: said when it is new, kept as its state."""
    key = ImageKey(view.key, image.alias)
    before = the.state(key)
    same = before is not None and (before.reason, before.message) == (refused.reason, refused.message)
    live = next(iter(live_versions(view, image.image)), Version())
    the.keep(key, ImageState(parts.FAILED, live, reason=refused.reason, message=refused.message, at=now()))
    measures.errors.labels(refused.reason).inc()
    if not same:
        log.warning("an image can't be updated", image=str(key), reason=refused.reason, why=refused.message)
        text = f"{image.alias}: {refused.message}"
        the.recorder.record(view.reference(), "ImageUpdateFailed", f"{refused.reason}: {text}", type_="Warning")
    _owner_reports(the, view.key)


def _owner_reports(the: Parts, app: AppKey) -> None:
    rule = the.rules.get(app)
    if rule is not None and rule.updater is not None:
        the.tell_owner(rule.updater)


async def note(the: Parts, view: AppView, rule: Rule) -> None:
    """After a pass: holds stand on the Application, and the ImageUpdater has its turn."""
    await show_holds(the, view)
    if rule.updater is not None:
        the.tell_owner(rule.updater)


async def show_holds(the: Parts, view: AppView) -> None:
    """An annotation says what is held; it goes when nothing is."""
    holds = the.book.holds_of(view.key)
    text = "; ".join(f"{hold.alias} at {hold.at}: {hold.why}" for hold in holds)
    if text == view.annotations.get(HELD_NOTE, "") or the.noted.get(view.key) == text:
        return
    the.noted[view.key] = text
    patch = {"metadata": {"annotations": {HELD_NOTE: text or None}}}
    try:
        await verbs.patch(the.cluster, the.applications, *view.key, patch)
    except ApiError as error:
        the.noted.pop(view.key, None)
        log.warning("a hold could not be shown", app=str(view.key), error=error.message)
        return
    for hold in holds:
        say_hold(the, view, hold)


def say_hold(the: Parts, view: AppView, hold: Hold) -> None:
    the.recorder.record(view.reference(), "ImageUpdateHeld", f"{hold.alias}: {hold.why}", type_="Warning")


async def holds_of(the: Parts, current: Mapping[ImageKey, Version], changes: Sequence[Change]) -> set[ImageKey]:
    """Before a commit: which images a person has set back in the files since we wrote them."""
    found = set[ImageKey]()
    for change in changes:
        now_in_file, policy = current.get(change.key, Version()), change.image.policy
        mine = the.book.memory(change.key)
        if not mine.tag or now_in_file == mine.version or mine.rule != rule_of(policy):
            continue
        if await went_back(the, policy, now_in_file, mine.version):
            hold = await held(the, change.key, policy, now_in_file, "a commit set the image back")
            found.add(change.key)
            the.keep(change.key, ImageState(parts.HELD, change.old, change.new, message=hold.why, at=now()))
            the.queue.add(change.key.app)
    return found
