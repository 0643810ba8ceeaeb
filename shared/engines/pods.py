"""Pod templates with Kubernetes' own code: the hash that names ReplicaSets, defaults, validation.

Templates are JSON. Reason: TemplateInvalid (it has another shape than a pod template).
"""

from typing import NamedTuple

from shared.engines.client import Engines


class Problem(NamedTuple):
    """One complaint of the validation: its kind, the field's path, the words."""

    kind: str
    field: str
    message: str


async def template_hash(engines: Engines, template: bytes, collisions: int | None = None) -> str:
    """The Deployment controller's `pod-template-hash` of a template as the API server returns it."""
    found: str = await engines.call("pods.hash", {"template": template, "collisions": collisions})
    return found


async def rollout_hash(
    engines: Engines, template: bytes, collisions: int | None = None, *, legacy: bool = False
) -> str:
    """Argo Rollouts' `rollouts-pod-template-hash`; `legacy`: of its releases with Kubernetes libraries before 0.34."""
    args = {"template": template, "collisions": collisions, "legacy": legacy}
    found: str = await engines.call("pods.json_hash", args)
    return found


async def with_defaults(engines: Engines, template: bytes) -> bytes:
    """The template with every default that the API server would set."""
    found: bytes = await engines.call("pods.default", {"template": template})
    return found


async def problems(engines: Engines, template: bytes, *, path: str = "spec.template") -> list[Problem]:
    """What the API server would refuse."""
    found = await engines.call("pods.validate", {"template": template, "path": path})
    return [Problem(*each) for each in found]
