"""Phases, waves, kinds, names (spec 2.5). Hoisting a Namespace or CRD to its first dependent's wave is not done yet."""

from hypothesis import given
from hypothesis import strategies as st

from services.reconciler.desired import Target, hook_phases
from services.reconciler.hooks import delete_policies, named
from services.reconciler.plan import plan, prune_steps
from shared.kinds.order import kind_rank
from shared.kinds.refs import ResourceKey

KINDS = st.sampled_from(["ConfigMap", "Deployment", "Namespace", "Service", "Widget"])


def target(kind: str, name: str = "x", wave: int = 0, hooks: tuple[str, ...] = ()) -> Target:
    obj = {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}}
    return Target(ResourceKey("", kind, "ns", name), obj, f"{kind}{name}{wave}", wave, hooks)


def names(steps: list) -> list[str]:  # type: ignore[type-arg]
    return [one.key.name for step in steps for one in step.apply] + [key.name for step in steps for key in step.prune]


def test_waves_come_before_kinds_and_kinds_before_names() -> None:
    wanted = [
        target("Deployment", "late", 1),
        target("Deployment", "d"),
        target("ConfigMap", "b"),
        target("ConfigMap", "a"),
    ]
    assert names(plan(wanted, [], {})) == ["a", "b", "d", "late"]


def test_hooks_stand_before_among_and_after_the_objects() -> None:
    hooks = [target("Job", "post", hooks=("PostSync",)), target("Job", "pre", hooks=("PreSync",))]
    among = target("Job", "among", wave=-1, hooks=("Sync",))
    assert names(plan([target("ConfigMap", "cm")], [*hooks, among], {})) == ["pre", "among", "cm", "post"]


def test_prunes_go_in_mirrored_waves_and_reversed_kinds() -> None:
    keys = {ResourceKey("", "ConfigMap", "ns", "first"): 0, ResourceKey("apps", "Deployment", "ns", "last"): 5}
    keys[ResourceKey("apps", "Deployment", "ns", "user")] = 0
    assert names(prune_steps(keys)) == ["last", "user", "first"]


@given(st.lists(st.tuples(KINDS, st.sampled_from("abc"), st.integers(-2, 2)), unique=True))
def test_every_object_is_applied_once_and_never_before_a_lower_wave_or_kind(
    objects: list[tuple[str, str, int]],
) -> None:
    steps = plan([target(*one) for one in objects], [], {})
    order = [(one.wave, kind_rank(one.key.kind)) for step in steps for one in step.apply]
    assert order == sorted(order)
    assert len(order) == len(objects)


def annotated(**annotations: str) -> dict[str, object]:
    return {"metadata": {"annotations": {name.replace("__", "/"): value for name, value in annotations.items()}}}


def test_helm_hooks_are_mapped_and_tests_never_run() -> None:
    helm = "helm.sh/hook"
    assert hook_phases({"metadata": {"annotations": {helm: "pre-install,pre-upgrade"}}}) == ("PreSync",)
    assert hook_phases({"metadata": {"annotations": {helm: "test"}}}) == ()
    assert hook_phases({"metadata": {"annotations": {helm: "crd-install"}}}) is None
    assert hook_phases({"metadata": {}}) is None


def test_argos_own_hook_annotation_wins_over_helms() -> None:
    both = {"metadata": {"annotations": {"helm.sh/hook": "test", "argocd.argoproj.io/hook": "PostSync, SyncFail"}}}
    assert hook_phases(both) == ("PostSync", "SyncFail")


def test_a_hook_without_policy_is_deleted_before_the_next_is_made() -> None:
    assert delete_policies({}) == {"BeforeHookCreation"}
    assert delete_policies(annotated(**{"argocd.argoproj.io/hook-delete-policy": "HookSucceeded"})) == {"HookSucceeded"}
    helm = {"helm.sh/hook": "pre-install", "helm.sh/hook-delete-policy": "hook-succeeded,hook-failed"}
    assert delete_policies(annotated(**helm)) == {"HookSucceeded", "HookFailed"}


def test_a_generated_name_is_the_same_for_the_same_run() -> None:
    hook = target("Job", "", hooks=("PreSync",))
    hook.obj["metadata"] = {"generateName": "migrate-"}
    assert named(hook, "abc1234-presync-7").obj["metadata"] == {"name": "migrate-abc1234-presync-7"}
    assert named(hook, "abc1234-presync-7").key.name == "migrate-abc1234-presync-7"
