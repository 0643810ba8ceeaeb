"""Phases, waves, kinds, names (spec 2.5), and what of a hook follows from its manifest."""

from hypothesis import given
from hypothesis import strategies as st

from services.reconciler.desired import Target, hook_phases
from services.reconciler.hooks import delete_policies, named
from services.reconciler.plan import ORDER, PHASES, Wave, needs, plan, plan_hooks, provides
from shared.kinds.order import kind_rank
from shared.kinds.refs import ResourceKey

KINDS = st.sampled_from(["ConfigMap", "Deployment", "NetworkPolicy", "Service", "Widget"])


def target(kind: str, name: str = "x", wave: int = 0, hooks: tuple[str, ...] = ()) -> Target:
    obj = {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}}
    return Target(ResourceKey("", kind, "ns", name), obj, f"{kind}{name}{wave}", wave, hooks)


def seen(waves: list[Wave]) -> list[str]:
    """What happens, in order: `-name` is pruned, others are applied."""
    found = []
    for wave in waves:
        found += [f"-{key.name}" for group in wave.prunes for key in group]
        found += [target.key.name for group in wave.applies for target in group]
    return found


def key(kind: str, name: str) -> ResourceKey:
    return ResourceKey("", kind, "ns", name)


def crd(name: str, kind: str, wave: int = 0) -> Target:
    obj = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": name},
        "spec": {"group": "", "names": {"kind": kind}},
    }
    return Target(ResourceKey("apiextensions.k8s.io", "CustomResourceDefinition", "", name), obj, name, wave)


def namespace(name: str, wave: int = 0) -> Target:
    obj = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    return Target(ResourceKey("", "Namespace", "", name), obj, name, wave)


def test_waves_come_before_kinds_and_kinds_before_names() -> None:
    wanted = [
        target("Deployment", "late", 1),
        target("Deployment", "d"),
        target("ConfigMap", "b"),
        target("ConfigMap", "a"),
    ]
    waves = plan(wanted, [], {})
    assert seen(waves) == ["a", "b", "d", "late"]
    assert [[len(group) for group in wave.applies] for wave in waves] == [[2, 1], [1]], "a kind at a time, all of it"


def test_hooks_stand_before_among_and_after_the_objects() -> None:
    hooks = [target("Job", "post", hooks=("PostSync",)), target("Job", "pre", hooks=("PreSync",))]
    among = target("Job", "among", wave=-1, hooks=("Sync",))
    assert seen(plan([target("ConfigMap", "cm")], [*hooks, among], {})) == ["pre", "among", "cm", "post"]


def test_a_hook_of_several_phases_runs_in_each_and_one_to_skip_in_none() -> None:
    hooks = [target("Job", "both", hooks=("PreSync", "PostSync")), target("Job", "no", hooks=("Skip",))]
    assert seen(plan([target("ConfigMap", "cm")], hooks, {})) == ["both", "cm", "both"]
    assert seen(plan_hooks([target("Job", "rescue", hooks=("SyncFail",)), *hooks], "SyncFail")) == ["rescue"]


def test_prunes_go_in_mirrored_waves_before_what_is_applied_there_kinds_reversed() -> None:
    prunes = {key("ConfigMap", "base"): 0, key("Deployment", "user"): 0, key("ConfigMap", "middle"): 3}
    prunes[key("Deployment", "top")] = 5
    applied = [target("ConfigMap", "a", 0), target("ConfigMap", "b", 5)]
    assert seen(plan(applied, [], prunes)) == ["-top", "a", "-middle", "-user", "-base", "b"]


def test_prune_last_is_after_all_of_the_sync_phase() -> None:
    prunes = {key("ConfigMap", "late"): 0, key("ConfigMap", "soon"): 0}
    hooks = [target("Job", "post", hooks=("PostSync",))]
    waves = plan([target("ConfigMap", "a", 7)], hooks, prunes, {key("ConfigMap", "late")})
    assert seen(waves) == ["-soon", "a", "-late", "post"]
    assert [wave.wave for wave in waves if wave.prunes] == [0, 8]


def test_a_namespace_and_a_definition_move_to_the_first_that_needs_them() -> None:
    wanted = [namespace("ns", 5), crd("widgets", "Widget", 3), target("Widget", "w", -1), namespace("other", 2)]
    hook = target("Job", "pre", hooks=("PreSync",))
    waves = plan(wanted, [hook], {})
    assert seen(waves) == ["ns", "pre", "widgets", "w", "other"]
    assert [(wave.phase, wave.wave) for wave in waves] == [("PreSync", 0), ("Sync", -1), ("Sync", 2)]


def test_a_definition_comes_before_its_objects_whatever_their_kind_is_called() -> None:
    assert seen(plan([target("NetworkPolicy", "p"), crd("policies", "NetworkPolicy")], [], {})) == ["policies", "p"]


WAVES = st.integers(-2, 2)
PHASE = st.sampled_from(["PreSync", "Sync", "PostSync", "SyncFail", "Skip", "PreDelete"])
OBJECTS = st.lists(st.tuples(KINDS, st.sampled_from("abc"), WAVES), unique_by=lambda one: one[:2])
HOOKS = st.lists(st.tuples(st.sampled_from("hijk"), WAVES, st.sets(PHASE, min_size=1)), unique_by=lambda one: one[0])
PROVIDERS = st.lists(st.tuples(st.sampled_from(["ns", "Widget", "Service"]), WAVES), unique_by=lambda one: one[0])
PRUNES = st.dictionaries(st.tuples(KINDS, st.sampled_from("xyz")), st.tuples(WAVES, st.booleans()))


@given(OBJECTS, HOOKS, PROVIDERS, PRUNES)
def test_the_order_is_total_and_nothing_is_left_out_or_done_twice(
    objects: list[tuple[str, str, int]],
    hooks: list[tuple[str, int, set[str]]],
    providers: list[tuple[str, int]],
    prunes: dict[tuple[str, str], tuple[int, bool]],
) -> None:
    brought = [namespace(name, wave) if name == "ns" else crd(name, name, wave) for name, wave in providers]
    wanted = [*(target(*one) for one in objects), *brought]
    run = [target("Job", name, wave, tuple(sorted(phases))) for name, wave, phases in hooks]
    pruned = {key(*one): wave for one, (wave, _) in prunes.items()}
    last = {key(*one) for one, (_, late) in prunes.items() if late}
    waves = plan(wanted, run, pruned, last)

    places = [(ORDER[wave.phase], wave.wave) for wave in waves]
    assert places == sorted(set(places)), "phases, then waves, each once"

    done = [(wave.phase, one.key) for wave in waves for one in wave.targets]
    expected = [one.key for one in wanted]
    expected += [hook.key for hook in run for phase in hook.hooks if phase in PHASES]
    assert sorted(one for _, one in done) == sorted(expected), "every target and every run once"
    assert all(phase in hook.hooks for phase, one in done for hook in run if hook.key == one)

    where = {one.key: place for place, wave in zip(places, waves, strict=True) for one in wave.targets if not one.hooks}
    assert all(where[one.key] <= (ORDER["Sync"], one.wave) for one in wanted), "moved up at most, never down"
    assert all(where[one.key] == (ORDER["Sync"], one.wave) for one in wanted if not provides(one.obj))

    check_prunes(waves, pruned, last, [place for place in where.values() if place[0] == ORDER["Sync"]])
    order = [one for _, one in done]
    for provider in brought:
        dependents = [one for one in order if provides(provider.obj) in needs(one)]
        assert all(order.index(provider.key) < order.index(one) for one in dependents), "what is needed is there first"


def check_prunes(
    waves: list[Wave], pruned: dict[ResourceKey, int], last: set[ResourceKey], synced: list[tuple[int, int]]
) -> None:
    gone = {one: wave.wave for wave in waves for one in wave.pruned}
    assert gone.keys() == pruned.keys()
    assert all(wave.phase == "Sync" for wave in waves if wave.prunes)
    turned = [gone[one] for one in sorted(pruned.keys() - last, key=lambda one: pruned[one])]
    assert turned == sorted(turned, reverse=True), "what came first goes last"
    assert all(gone[one] > wave for one in last for _, wave in synced)


@given(OBJECTS)
def test_kinds_follow_their_order_inside_a_wave(objects: list[tuple[str, str, int]]) -> None:
    for wave in plan([target(*one) for one in objects], [], {}):
        ranks = [(kind_rank(group[0].key.kind), group[0].key.kind) for group in wave.applies]
        assert ranks == sorted(ranks)
        assert all(len({one.key.kind for one in group}) == 1 for group in wave.applies)


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
