"""What is wrong with a canary's steps: every problem of every step. Pure."""

from collections.abc import Iterator

from services.rollout_manager.steps import duration
from shared.kinds.strategy import (
    Canary,
    CanaryStep,
    HeaderRoute,
    MirrorRoute,
    Pause,
    SetCanaryScale,
    StepExperiment,
    StringMatch,
)

KINDS = (
    "set_weight",
    "pause",
    "set_canary_scale",
    "analysis",
    "experiment",
    "set_header_route",
    "set_mirror_route",
    "plugin",
)
LONGEST_PAUSE = 2**31 - 1
ONE_OF = "exact, regex, prefix"
ONE_KIND = "Step must have one of the following set: experiment, setWeight, setCanaryScale, plugin or pause"
NO_ROUTE = "Steps define a route that does not exist in spec.strategy.canary.trafficRouting.managedRoutes"
NO_DURATION = "Duration needs to be a number of seconds, or as 30s, 5m, 1h"


def step_problems(canary: Canary) -> Iterator[str]:
    routing = canary.traffic_routing
    managed = {route.name for route in routing.managed_routes} if routing else set()
    most = (routing.max_traffic_weight or 100) if routing else 100
    for position, step in enumerate(canary.steps):
        field = f"spec.strategy.canary.steps[{position}]"
        given = [name for name in KINDS if getattr(step, name) is not None]
        if len(given) != 1:
            yield f"{field}: {ONE_KIND}"
        for problem in _step(step, canary, managed, most):
            yield f"{field}.{problem}"


def _step(step: CanaryStep, canary: Canary, managed: set[str], most: int) -> Iterator[str]:
    routed = canary.traffic_routing is not None
    if step.set_weight is not None and not 0 <= step.set_weight <= most:
        yield f"setWeight: Invalid value: {step.set_weight}: SetWeight needs to be between 0 and {most}"
    if step.pause is not None:
        yield from _pause(step.pause)
    if step.set_canary_scale is not None:
        yield from _scale(step.set_canary_scale, routed=routed)
    if step.set_header_route is not None:
        yield from _header(step.set_header_route, canary, managed)
    if step.set_mirror_route is not None:
        yield from _mirror(step.set_mirror_route, canary, managed)
    if step.plugin is not None:
        yield "plugin: step plugins are not supported"
    if step.experiment is not None:
        yield from _experiment(step.experiment, canary)


def _pause(pause: Pause) -> Iterator[str]:
    try:
        length = duration(pause)
    except ValueError:
        yield f"pause.duration: Invalid value: {pause.duration!r}: {NO_DURATION}"
        return
    if length is not None and not 0 < length <= LONGEST_PAUSE:
        yield f"pause.duration: Invalid value: {pause.duration!r}: Duration needs to be greater than 0"


def _scale(scale: SetCanaryScale, *, routed: bool) -> Iterator[str]:
    if not routed:
        yield "setCanaryScale: SetCanaryScale requires TrafficRouting to be set"
    if (scale.replicas is not None) + (scale.weight is not None) + scale.match_traffic_weight != 1:
        yield "setCanaryScale: exactly one of replicas, weight and matchTrafficWeight must be set"
    if scale.replicas is not None and scale.replicas < 0:
        yield f"setCanaryScale.replicas: Invalid value: {scale.replicas}: must be greater than or equal to 0"
    if scale.weight is not None and not 0 <= scale.weight <= 100:
        yield f"setCanaryScale.weight: Invalid value: {scale.weight}: must be between 0 and 100"


def _managed(name: str, managed: set[str]) -> Iterator[str]:
    if not managed:
        yield "name: missing managedRoutes: spec.strategy.canary.trafficRouting.managedRoutes is required"
    elif name not in managed:
        yield f"name: Invalid value: {name!r}: {NO_ROUTE}"


def _header(route: HeaderRoute, canary: Canary, managed: set[str]) -> Iterator[str]:
    routing = canary.traffic_routing
    if routing is None or not (routing.istio or routing.alb or routing.apisix or routing.plugins):
        yield "setHeaderRoute: SetHeaderRoute requires TrafficRouting, supports Istio and ALB and Apisix"
        return
    yield from (f"setHeaderRoute.{problem}" for problem in _managed(route.name, managed))
    for position, match in enumerate(route.match):
        field = f"setHeaderRoute.match[{position}]"
        yield from (f"{field}.{problem}" for problem in _match(match.header_value, "headerValue"))
        if routing.alb and match.header_value and not match.header_value.exact:
            yield f"{field}.headerValue: SetHeaderRoute match value invalid. ALB supports 'exact' value only"


def _match(match: StringMatch | None, name: str) -> Iterator[str]:
    given = [value for value in (match.exact, match.prefix, match.regex) if value] if match else []
    if not given:
        yield f"{name}: StringMatch value missed, match value must have one of the following: {ONE_OF}"
    elif len(given) > 1:
        yield f"{name}: StringMatch match value must have exactly one of the following: exact, regex, prefix"


def _mirror(route: MirrorRoute, canary: Canary, managed: set[str]) -> Iterator[str]:
    routing = canary.traffic_routing
    if routing is None or not (routing.istio or routing.plugins):
        yield "setMirrorRoute: SetMirrorRoute requires TrafficRouting, supports Istio and Plugins"
        return
    yield from (f"setMirrorRoute.{problem}" for problem in _managed(route.name, managed))
    if route.percentage is not None and not 0 <= route.percentage <= 100:
        yield f"setMirrorRoute.percentage: Invalid value: {route.percentage}: must be between 0 and 100"
    for position, match in enumerate(route.match):
        named = {
            "method": match.method,
            "path": match.path,
            **{f"headers.{name}": value for name, value in match.headers.items()},
        }
        for name, value in named.items():
            if value is not None:
                yield from (f"setMirrorRoute.match[{position}].{problem}" for problem in _match(value, name))


def _experiment(experiment: StepExperiment, canary: Canary) -> Iterator[str]:
    routing = canary.traffic_routing
    able = routing is not None and bool(routing.istio or routing.alb or routing.smi)
    for position, template in enumerate(experiment.templates):
        field = f"experiment.templates[{position}]"
        if template.spec_ref not in {"stable", "canary"}:
            yield f"{field}.specRef: Unsupported value: {template.spec_ref!r}: stable or canary"
        if template.weight is not None and routing is None:
            yield f"{field}.weight: Experiment template weight cannot be set unless TrafficRouting is enabled"
        elif template.weight is not None and not able:
            yield f"{field}.weight: only ALB, Istio and SMI can give an experiment a share of the traffic"
