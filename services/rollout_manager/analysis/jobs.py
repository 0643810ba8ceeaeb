"""Running a metric's Job to its end: created once however often it is asked for, watched, never polled.

Its name follows from the run, the metric and the number of the measurement, so a manager that was restarted finds it
again.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import blake2b

from services.rollout_manager.analysis import Phase
from services.rollout_manager.analysis.metrics import Metric
from services.rollout_manager.analysis.providers.answer import Answer, ProviderError
from services.rollout_manager.keys import Obj, Ref
from services.rollout_manager.objects import Interest, Objects, Owned, Watch
from shared.kube import AlreadyExists, ApiError, EventType, Key, LiveObject, NotFound, verbs
from shared.telemetry import get_logger

log = get_logger()

UID = "analysisrun.argoproj.io/uid"
JOB_NAME = "batch.kubernetes.io/job-name"
ABOUT = "analysisrun.argoproj.io/"
BAD_IMAGE = frozenset({"ErrImagePull", "ImagePullBackOff", "InvalidImageName"})
LONGEST_NAME = 63
MANAGER = "rollouts-controller"


@dataclass(frozen=True)
class JobOf:
    """The Job of one measurement."""

    run: Obj
    metric: Metric
    number: int

    @property
    def namespace(self) -> str:
        return str(self.run["metadata"]["namespace"])

    @property
    def name(self) -> str:
        """As Argo Rollouts names it; where that is too long, a digest of the metric keeps it unlike all others."""
        uid, metric = self.run["metadata"]["uid"], self.metric.name.lower()
        whole = f"{uid}.{metric}.{self.number}"
        if len(whole) <= LONGEST_NAME:
            return whole
        end = f".{blake2b(metric.encode(), digest_size=4).hexdigest()}.{self.number}"
        return whole[: LONGEST_NAME - len(end)].rstrip(".-") + end

    @property
    def ref(self) -> Ref:
        return Ref("batch", "Job", self.namespace, self.name)

    def manifest(self) -> Obj:
        """Raises ProviderError."""
        config = self.metric.config if isinstance(self.metric.config, dict) else {}
        if not isinstance(config.get("spec"), dict):
            raise ProviderError("a job metric needs a spec")
        given, about = config.get("metadata") or {}, self.run["metadata"]
        annotations = {"name": about["name"], "namespace": self.namespace, "metric-name": self.metric.name}
        metadata = {
            "name": self.name,
            "namespace": self.namespace,
            "labels": {**(given.get("labels") or {}), UID: about["uid"]},
            "annotations": {
                **(given.get("annotations") or {}),
                **{f"{ABOUT}{name}": value for name, value in annotations.items()},
            },
            "ownerReferences": [owner(self.run)],
        }
        spec = marked(config["spec"], str(about["uid"]))
        return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec}


def marked(spec: Obj, uid: str) -> Obj:
    """The Job's pods carry its mark, so that these alone are watched."""
    template = spec.get("template") or {}
    metadata = template.get("metadata") or {}
    labels = {**(metadata.get("labels") or {}), UID: uid}
    return {**spec, "template": {**template, "metadata": {**metadata, "labels": labels}}}


def owner(run: Obj) -> Obj:
    metadata = run["metadata"]
    named = {"apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisRun"}
    return {**named, "name": metadata["name"], "uid": metadata["uid"], "controller": True, "blockOwnerDeletion": True}


class Jobs:
    """One instance a process; each waiting measurement hears of its own Job and that Job's pods."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._waiting: dict[str, asyncio.Event] = {}
        self._interest: Interest[str] = objects.interest(self._wake)
        self._pods: Owned | None = None
        self._starting = asyncio.Lock()

    def _wake(self, name: str) -> None:
        if name in self._waiting:
            self._waiting[name].set()

    async def run(self, job: JobOf) -> Answer:
        """Raises ProviderError. Called off, it leaves the Job alone: a manager that is restarted finds it again."""
        try:
            await self._begin(job)
            return await self._end(job)
        except ApiError as error:
            raise ProviderError(f"the Job can't be run: {error.message}") from error

    async def stop(self, job: JobOf) -> None:
        """Delete a Job that nobody waits for any more."""
        resource = await self._objects.discovery.resource("batch", "Job")
        try:
            await verbs.delete(self._objects.cluster, resource, job.namespace, job.name, propagation="Background")
        except NotFound:
            return
        except ApiError as error:
            log.warning("a Job was not deleted; it goes with its AnalysisRun", job=job.name, error=error.message)

    async def _begin(self, job: JobOf) -> None:
        resource = await self._objects.discovery.resource("batch", "Job")
        try:
            made = await verbs.create(self._objects.cluster, resource, job.manifest(), manager=MANAGER)
        except AlreadyExists:
            return
        (await self._watch()).note(made)

    async def _watch(self) -> Watch:
        """Jobs of ours, and their pods: of a pod that can't be started the Job itself never hears."""
        async with self._starting:
            if self._pods is None:
                pods = await self._objects.watch("", "Pod", label_selector=UID)
                self._pods = Owned(pods, job_of)
                pods.listeners.append(self._on_pod)
        return await self._objects.watch("batch", "Job", label_selector=UID)

    def _on_pod(self, _type: EventType, _key: Key, pod: LiveObject, _old: LiveObject | None) -> None:
        for name in job_of(pod):
            self._wake(name)

    async def _end(self, job: JobOf) -> Answer:
        metadata = {"job-name": job.name, "job-namespace": job.namespace}
        await self._watch()
        async with self._news(job) as news:
            while True:
                news.clear()
                found = await self._objects.get(job.ref)
                ended = verdict(found) or self._unstartable(job)
                if ended is not None:
                    return Answer(phase=ended[0], message=ended[1], metadata=metadata)
                await news.wait()

    @asynccontextmanager
    async def _news(self, job: JobOf) -> AsyncIterator[asyncio.Event]:
        self._waiting[job.name] = asyncio.Event()
        self._interest.set(job.name, [job.ref])
        try:
            yield self._waiting[job.name]
        finally:
            self._interest.set(job.name, ())
            del self._waiting[job.name]

    def _unstartable(self, job: JobOf) -> tuple[Phase, str] | None:
        """A Job whose image can't be had never ends by itself."""
        pods = self._pods.of(job.name) if self._pods is not None else ()
        bad = (found for pod in pods if pod.meta.namespace == job.namespace and (found := bad_image(pod.load())))
        return next(((Phase.INCONCLUSIVE, why) for why in bad), None)


def job_of(pod: LiveObject) -> list[str]:
    return [name for name in (pod.meta.labels.get(JOB_NAME),) if name]


def bad_image(pod: Obj) -> str:
    """Which of its images can't be had, and why; empty: all can."""
    for one in (pod.get("status") or {}).get("containerStatuses") or ():
        waiting = (one.get("state") or {}).get("waiting") or {}
        if waiting.get("reason") in BAD_IMAGE:
            return f"{waiting['reason']}: {waiting.get('message', one.get('image', ''))}"
    return ""


def verdict(job: Obj | None) -> tuple[Phase, str] | None:
    """What a Job's conditions say; one that is gone was taken away from us."""
    if job is None:
        return Phase.ERROR, "the Job was deleted before it was done"
    conditions = (job.get("status") or {}).get("conditions") or ()
    for one in conditions:
        if one.get("status") == "True" and one.get("type") == "Complete":
            return Phase.SUCCESSFUL, ""
        if one.get("status") == "True" and one.get("type") == "Failed":
            return Phase.FAILED, str(one.get("message") or "")
    return None
