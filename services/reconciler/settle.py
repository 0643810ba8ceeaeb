"""What the local comparison could not decide: asked of jq (the engines), then of the API server (a dry run).

In: doubts. Out: for each a verdict, or why there is none: what could not be asked is unknown, never in sync.
"""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from services.reconciler.compare import (
    FIELD_MANAGER,
    NOWHERE,
    Places,
    Verdict,
    comparable,
    judge,
    judge_prediction,
)
from services.reconciler.desired import Target
from services.reconciler.destination import Destination
from services.reconciler.errors import ComparisonFailed
from services.reconciler.expressions import Leads, needs_engine, places
from services.reconciler.live import Live
from services.reconciler.parts import Parts
from services.reconciler.rolled import yielded
from services.reconciler.state import Obj
from services.reconciler.ways import Way
from shared.kube import ApiError, UnknownKind


class Doubt(NamedTuple):
    """A wanted object, and the live one it may or may not be; in which way a sync by the policy would write it."""

    target: Target
    live: Live
    body: Obj
    sum: str
    way: Way


Settled = Verdict | ComparisonFailed


async def settle(parts: Parts, destination: Destination, doubts: Sequence[Doubt]) -> list[Settled]:
    """Settle all doubts of one Application."""
    asking = [doubt for doubt in doubts if needs_engine(doubt.target.ignored)]
    pairs = [(comparable(doubt.target), doubt.body) for doubt in asking]
    found = dict(zip((doubt.target.key for doubt in asking), await follow(parts, asking, pairs), strict=True))
    return list(
        await asyncio.gather(*(one(parts, destination, doubt, found.get(doubt.target.key)) for doubt in doubts))
    )


async def one(parts: Parts, destination: Destination, doubt: Doubt, where: Places | ComparisonFailed | None) -> Settled:
    """Settle one doubt; `where` its jq expressions lead, if it has any."""
    if isinstance(where, ComparisonFailed):
        return where
    try:
        local = None
        if where is not None:
            local = judge(doubt.target, doubt.body, doubt.sum, where, former=doubt.way.former)
        return local or await predict(parts, destination, doubt)
    except ComparisonFailed as error:
        return error


async def follow(
    parts: Parts, doubts: Sequence[Doubt], pairs: Sequence[tuple[Obj, Obj]]
) -> list[Places | ComparisonFailed]:
    """Give where the jq expressions of each doubt lead in a pair of objects; one call for all."""
    questions = [(doubt.target.ignored, obj) for doubt, pair in zip(doubts, pairs, strict=True) for obj in pair]
    found = await places(parts.engines, questions, parts.argo.jq_seconds)
    return [_both(mine, theirs) for mine, theirs in zip(found[::2], found[1::2], strict=True)]


def _both(mine: Leads, theirs: Leads) -> Places | ComparisonFailed:
    if isinstance(mine, ComparisonFailed):
        return mine
    return theirs if isinstance(theirs, ComparisonFailed) else Places(tuple(mine), tuple(theirs))


async def predict(parts: Parts, destination: Destination, doubt: Doubt) -> Verdict:
    """Ask the API server; a refusal that the sync would meet too counts as out of sync.

    An object that is wanted at another version than the one that is watched is read at that version first.
    """
    target, body = doubt.target, doubt.body
    try:
        if doubt.live.api_version != target.obj["apiVersion"]:
            body = await destination.fetch(target.key, target.obj["apiVersion"].rpartition("/")[2]) or {}
        predicted = await destination.apply(
            yielded(target.obj, body), manager=FIELD_MANAGER, dry_run=True, validation=doubt.way.validation
        )
    except (ApiError, UnknownKind) as error:
        if error.retriable:
            message = f"Failed to compare {target.key}: {error.message}"
            raise ComparisonFailed(message, retriable=True) from error
        return Verdict("OutOfSync", doubt.sum, target.digest, error.message)
    where: Places | ComparisonFailed = NOWHERE
    if needs_engine(target.ignored):
        (where,) = await follow(parts, [doubt], [(body, predicted)])
    if isinstance(where, ComparisonFailed):
        raise where
    return judge_prediction(target, body, doubt.sum, predicted, where)
