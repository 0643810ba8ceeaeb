"""One image of one Application: what its policy chooses now, and whether that is to be written. Reads, never writes.

In: the Application, its rule, the image. Out: a `Decision`: nothing to do, a hold, or the new version. What keeps it
from being decided is raised as `Refused`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec

from services.image_updater import answers, parts
from services.image_updater.asking import dates, needs_of
from services.image_updater.book import Hold, Memory, rule_of
from services.image_updater.choosing import Answers, Choice, aged, choose, filtered, next_due
from services.image_updater.keys import NO_VERSION, ImageKey, Version
from services.image_updater.messages import labels_of
from services.image_updater.parts import Parts
from services.image_updater.policy import Policy, Strategy, WantedImage
from services.image_updater.refusals import Refused
from services.image_updater.ruling import Rule
from services.image_updater.secretkeys import cosign_key
from services.image_updater.view import AppView, live_versions
from shared.clock import now, rfc3339
from shared.events import Tag, TagDigest, image_delivery

AGED_AT_ONCE = 10


@dataclass(frozen=True, slots=True)
class Decision:
    """`what`: a word of parts.ImageState, or `update`. `due`: seconds after which to look again."""

    what: str
    why: str = ""
    live: Version = NO_VERSION
    chosen: Version = NO_VERSION
    delivery: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    choice: Choice | None = None
    due: float | None = None


UPDATE = "update"


@dataclass(frozen=True, slots=True)
class Look:
    """One look at one image. `running`: the versions that the manifests name."""

    the: Parts
    view: AppView
    rule: Rule
    image: WantedImage
    running: tuple[Version, ...] = ()

    @property
    def key(self) -> ImageKey:
        return ImageKey(self.view.key, self.image.alias)

    @property
    def live(self) -> Version:
        return self.running[0] if self.running else NO_VERSION

    @property
    def pinned(self) -> bool:
        policy = self.image.policy
        return policy.pin_digest or policy.strategy is Strategy.DIGEST or self.image.cosign is not None

    def decided(self, what: str, why: str, chosen: Version = NO_VERSION, **more: Any) -> Decision:
        return Decision(what, why, self.live, chosen, **more)


class Chosen(NamedTuple):
    """What the policy says of the tags. `due`: seconds until a tag is old enough."""

    choice: Choice
    tags: tuple[Tag, ...]
    due: float | None = None


async def decide(the: Parts, view: AppView, rule: Rule, image: WantedImage) -> Decision:
    """The steps in order; the first that ends it does. Raises Refused."""
    if image.problem:
        raise Refused("InvalidImage", image.problem)
    look = Look(the, view, rule, image, tuple(live_versions(view, image.image)))
    if not look.running and not image.force:
        why = f"{image.image} is not among the Application's images; forceUpdate ignores that"
        return look.decided(parts.SKIPPED, why)
    memory = await _remembered(look)
    await _end_stale_hold(look)
    if known := the.book.holds.get(look.key):
        return look.decided(parts.HELD, known.why)
    found = await choose_now(the, rule, image)
    if hold := await _rolled_back(look, memory, found.tags):
        return look.decided(parts.HELD, hold.why, choice=found.choice)
    return await _by_choice(look, found)


async def _by_choice(look: Look, found: Chosen) -> Decision:
    choice, winner = found.choice, Version(found.choice.winner)
    if not winner.tag:
        return look.decided(parts.SKIPPED, "no tag fits the policy", choice=choice, due=found.due)
    if not look.pinned and look.running and all(one.tag == winner.tag for one in look.running):
        return look.decided(parts.UP_TO_DATE, choice.why, winner, choice=choice, due=found.due)
    if look.image.policy.no_downgrade and await went_back(look.the, look.image.policy, winner, look.live, found.tags):
        why = f"{winner} is older than {look.live}, and noDowngrade is set"
        return look.decided(parts.SKIPPED, why, winner, choice=choice, due=found.due)
    labels = ".Labels" in look.the.style.template
    resolved = await look.the.registry.digest(look.image, look.rule.namespace, winner.tag, labels=labels)
    if look.pinned:
        winner = Version(winner.tag, resolved.digest)
    if look.running and all(one == winner for one in look.running):
        return look.decided(parts.UP_TO_DATE, choice.why, winner, choice=choice, due=found.due)
    await _verified(look, resolved)
    delivery, said = image_delivery(look.image.image, resolved.digest), labels_of(resolved.labels)
    return look.decided(UPDATE, choice.why, winner, delivery=delivery, labels=said, choice=choice, due=found.due)


async def choose_now(the: Parts, rule: Rule, image: WantedImage) -> Chosen:
    """The tags of the repository through the policy. Raises Refused."""
    policy = image.policy
    if policy.strategy is Strategy.DIGEST and not policy.allow and not policy.ignore:
        only = (Tag(name=policy.constraint),)  # its digest is asked for anyway: no list is needed
        return Chosen(choose(policy, only, Answers(), now()), only)
    tags = (await the.registry.tags(image, rule.namespace)).tags
    found = await the.asked.ask(policy, [tag.name for tag in tags])
    if needs := needs_of(policy):
        left, _ = filtered(policy, [tag.name for tag in tags], found)
        tags = (await the.registry.tags(image, rule.namespace, needs, left)).tags
    choice = choose(policy, tags, found, now())
    if choice.problem:
        raise Refused("InvalidPolicy", f"{image.alias}: {choice.problem}")
    return await _aged(the, rule, image, Chosen(choice, tags))


async def _aged(the: Parts, rule: Rule, image: WantedImage, found: Chosen) -> Chosen:
    policy, choice = image.policy, found.choice
    if not policy.minimum_age_seconds or not choice.ranked:
        return found
    best = choice.ranked[:AGED_AT_ONCE]
    dated = (await the.registry.tags(image, rule.namespace, ("created",), best)).tags
    among = [tag for tag in dated if tag.name in best]
    left = aged(Choice(best, choice.dropped, choice.why), policy, among, now())
    return Chosen(left, dated, next_due(left, policy, among, now()))


async def _remembered(look: Look) -> Memory:
    """What was written last; that it runs now is worth remembering."""
    book, key = look.the.book, look.key
    memory = book.memory(key)
    if memory.tag and not memory.seen and memory.version in look.running:
        memory = msgspec.structs.replace(memory, seen=True)
        await book.remember(memory)
    return memory


async def _end_stale_hold(look: Look) -> None:
    """A rule that was written anew is a new wish: it ends the hold."""
    hold = look.the.book.holds.get(look.key)
    if hold is not None and hold.rule != rule_of(look.image.policy):
        await look.the.book.release(look.key)


async def _rolled_back(look: Look, memory: Memory, tags: Sequence[Tag]) -> Hold | None:
    """Somebody went back behind what we wrote and what ran already."""
    policy = look.image.policy
    if not memory.seen or not look.running or memory.version in look.running or memory.rule != rule_of(policy):
        return None
    for one in look.running:
        if not await went_back(look.the, policy, one, memory.version, tags):
            return None
    return await held(look.the, look.key, policy, look.live, "the Application was rolled back")


async def went_back(the: Parts, policy: Policy, one: Version, other: Version, tags: Sequence[Tag] = ()) -> bool:
    """Whether a version is older than another. Digests of one tag have no order: any other one is a step back."""
    if policy.strategy is Strategy.DIGEST:
        return bool(one.digest) and one.digest != other.digest
    return await answers.is_older(the.engines, policy, one.tag, other.tag, dates(tags))


async def held(the: Parts, key: ImageKey, policy: Policy, at: Version, why: str) -> Hold:
    """Automation rests for this image from now on."""
    written = the.book.memory(key).version
    text = f"{why} to {at}, older than {written}, which was written before: resume it, or write a new constraint"
    hold = Hold(*key.app, key.alias, str(at), str(written), rule_of(policy), text, since=rfc3339(now()))
    await the.book.hold(hold)
    return hold


async def _verified(look: Look, found: TagDigest) -> None:
    if look.image.cosign is not None:
        key = await cosign_key(look.the.cluster, look.rule.namespace, look.image.cosign)
        await look.the.registry.verify(look.image, look.rule.namespace, found.digest, key)
