"""What happens when something is heard: a webhook, a list of what to watch. Load, decide, act, report."""

from collections import defaultdict
from collections.abc import Callable

from services.registry_watcher import measures
from services.registry_watcher.image import Image, Sight
from services.registry_watcher.images import Images
from services.registry_watcher.interest import Want, Way
from services.registry_watcher.known import Known
from shared.bus import BusError
from shared.events import RegistryHook, WatchImages, Watching
from shared.oci.errors import OciFailure, UnsupportedAddress
from shared.oci.reference import Repository, is_tag
from shared.telemetry import get_logger

log = get_logger()
SECOND_LOOK_SECONDS = 2.0
Sooner = Callable[[str, float], None]


async def on_hook(hook: RegistryHook, images: Images, sooner: Sooner) -> None:
    """One HEAD for each watched repository that it may mean. What can't be told now is pending, on disk."""
    meant = images.meant_by(hook.registry, hook.repository)
    if not meant:
        measures.hooks.labels("unknown-repository").inc()
        log.debug("webhook for a repository that nobody watches", provider=hook.provider)
    for image in meant:
        await _follow(hook, image, sooner)


async def _follow(hook: RegistryHook, image: Image, sooner: Sooner) -> None:
    if not is_tag(hook.tag):
        image.relist = image.relist or not hook.tag
        measures.hooks.labels("without-tag" if not hook.tag else "bad-tag").inc()
        sooner(image.name, SECOND_LOOK_SECONDS)
        return
    if not is_news(hook, image.known):
        image.known.told_at = hook.at
        measures.hooks.labels("known").inc()
        return
    try:
        await image.hinted(hook.tag, hook.digest, Sight("webhook", hook.at, hook.pushed_at))
    except (OciFailure, BusError) as failure:
        measures.hooks.labels("failed").inc()
        log.info("a webhook waits for its registry", image=image.name, tag=hook.tag, why=str(failure))
    if hook.tag in image.known.pending or image.relist:
        measures.hooks.labels("pending").inc()
        await image.save()
        sooner(image.name, max(SECOND_LOOK_SECONDS, image.holds.left()))
    else:
        measures.hooks.labels("followed").inc()


def is_news(hook: RegistryHook, known: Known) -> bool:
    """False when exactly this was announced already, as for the second webhook of one push."""
    return not hook.digest or known.digests.get(hook.tag) != hook.digest


def wants_of(question: WatchImages, images: Images) -> tuple[dict[Repository, tuple[Want, ...]], dict[str, str]]:
    """What an owner wants to be watched, and which of it are no images."""
    wants: defaultdict[Repository, list[Want]] = defaultdict(list)
    refused: dict[str, str] = {}
    for each in question.images:
        try:
            repository = images.doors.registries.repository(each.image)
        except UnsupportedAddress as error:
            refused[each.image[:300]] = str(error)
            continue
        tags = frozenset(tag for tag in each.tags if is_tag(tag))
        wants[repository].append(Want(Way(each.pull_secret, each.namespace), tags, each.list_tags))
    return {repository: tuple(each) for repository, each in wants.items()}, refused


def on_watch(question: WatchImages, images: Images, watch: Callable[[Image], None]) -> Watching:
    """From now on these are polled, and webhooks about them are followed."""
    wants, refused = wants_of(question, images)
    images.interest.set(question.owner, wants)
    for repository in wants:
        watch(images.of(repository))
    return Watching(count=len(wants), refused=refused)
