"""Webhook gates, asked in the background: a pass says what to ask (`Question`), and finds the answers at a later one.

Under the same limits as metrics (`web_access.py`): allowed hosts only, no redirects, bounded answers. 2xx lets pass,
unless its JSON says `"allowed": false`; that, and 403, refuse. Anything else is no answer. What is remembered is lost
with the process; then it is asked again.
"""

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from services.rollout_manager.analysis.arguments import redacted
from services.rollout_manager.analysis.providers.answer import ProviderError
from services.rollout_manager.analysis.providers.web_access import SHOWN, Response, WebAccess
from services.rollout_manager.analysis.secrets import Secrets
from services.rollout_manager.gates import Answer, Facts, Question, Said
from services.rollout_manager.gates.written import Gate, Webhook, gates_of
from services.rollout_manager.keys import RolloutKey
from shared.clock import now
from shared.engines.openings import Openings
from shared.kinds.durations import seconds
from shared.kinds.wire import InvalidObject
from shared.telemetry import get_logger

log = get_logger()
REFUSED = 403


@dataclass
class Webhooks:
    """One instance a process; `wake` queues a Rollout whose gate was answered."""

    web: WebAccess
    secrets: Secrets
    openings: Openings
    tasks: asyncio.TaskGroup
    wake: Callable[[RolloutKey], None]
    _answers: dict[RolloutKey, dict[int, Answer]] = field(default_factory=dict)
    _asking: dict[tuple[RolloutKey, int], tuple[str, asyncio.Task[None]]] = field(default_factory=dict)

    async def facts(self, key: RolloutKey, annotations: Mapping[str, str]) -> Facts:
        """What is known of a Rollout's gates now."""
        try:
            gates = gates_of(annotations)
        except InvalidObject:
            return Facts()
        windows = {position: gate.window for position, gate in enumerate(gates) if gate.window is not None}
        at = now()
        times = {position: await self.openings.of(window.as_window(), at) for position, window in windows.items()}
        return Facts(times, dict(self._answers.get(key, {})))

    def ask(self, key: RolloutKey, gates: tuple[Gate, ...], questions: Iterable[Question]) -> None:
        """Ask what is not being asked already."""
        for question in questions:
            webhook = gates[question.gate].webhook
            pause, task = self._asking.get((key, question.gate), ("", None))
            if webhook is None or pause == question.pause:
                continue
            if task is not None:
                task.cancel()
            asking = self.tasks.create_task(self._ask(key, webhook, question))
            self._asking[key, question.gate] = (question.pause, asking)

    def forget(self, key: RolloutKey) -> None:
        """The Rollout is gone."""
        self._answers.pop(key, None)
        for known, position in [known for known in self._asking if known[0] == key]:
            self._asking.pop((known, position))[1].cancel()

    async def _ask(self, key: RolloutKey, webhook: Webhook, question: Question) -> None:
        try:
            said, message = await self._answer(key, webhook, question)
        except ProviderError as error:
            said, message = Said.SILENT, str(error)
        except Exception as error:  # the edge of a tenant's manifest: the other Rollouts go on
            log.exception("a webhook gate can't be asked", rollout=str(key))
            said, message = Said.SILENT, type(error).__name__
        self._answers.setdefault(key, {})[question.gate] = Answer(said, message, now(), question.pause)
        del self._asking[key, question.gate]
        self.wake(key)

    async def _answer(self, key: RolloutKey, webhook: Webhook, question: Question) -> tuple[Said, str]:
        headers = {"Content-Type": "application/json"}
        token = ""
        if webhook.token_from is not None:
            data = await self.secrets.data(key.namespace, webhook.token_from.name)
            token = data.get(webhook.token_from.key, "").strip()
            if not token:
                raise ProviderError(f"the Secret {webhook.token_from.name} has no key {webhook.token_from.key}")
            headers["Authorization"] = f"Bearer {token}"
        answer = await self.web.request(
            "POST",
            webhook.url,
            headers=headers,
            body=json.dumps(question.body).encode(),
            seconds=seconds(webhook.timeout),
            ok=False,
        )
        said, message = meaning(answer)
        return said, redacted(message, [token])


def meaning(answer: Response) -> tuple[Said, str]:
    """What a webhook has said."""
    try:
        found = json.loads(answer.text)
    except ValueError:
        found = None
    told = found if isinstance(found, dict) else {}
    message = " ".join(str(told.get("message") or f"{answer.status} {answer.text}").split())[:SHOWN]
    if answer.status == REFUSED:
        return Said.REFUSED, message
    if not 200 <= answer.status < 300:
        return Said.SILENT, message
    return (Said.REFUSED if told.get("allowed") is False else Said.OPEN), message
