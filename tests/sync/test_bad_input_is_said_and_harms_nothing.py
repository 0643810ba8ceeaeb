"""Each kind of bad input gets a condition that a person can act on and a Kubernetes Event; what runs goes on running.

Webhooks with wrong signatures or bodies are tests/gateway's; wrong credentials and hanging servers tests/git's; charts
that loop or reach outside tests/render's and tests/engines'.
"""

import asyncio
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.parts.delivery import ARGO, Delivery, complains, config_map, synced, synced_to

Obj = dict[str, Any]
AUTO = {"prune": True, "selfHeal": True}


async def broken_after_a_good_start(delivery: Delivery, files: dict[str, bytes], remove: tuple[str, ...] = ()) -> None:
    """A healthy Application of two objects; then the bad commit, which drops one of them too."""
    delivery.begin({"app/a.json": config_map("a"), "app/b.json": config_map("b")})
    await delivery.apply(delivery.application(automated=AUTO))
    await delivery.until(synced)
    await delivery.push(files, remove=("app/b.json", *remove))


async def nothing_is_lost(delivery: Delivery) -> None:
    """What was live lives, and the Application is Unknown, not empty."""
    app = await delivery.until(lambda app: app["status"]["sync"]["status"] == "Unknown")
    assert [one["name"] for one in app["status"]["resources"]] == ["a", "b"]
    assert await delivery.get("ConfigMap", "a") is not None
    assert await delivery.get("ConfigMap", "b") is not None
    await delivery.until_warned()


async def test_invalid_yaml_is_named_with_line_and_column(delivery: Delivery) -> None:
    await broken_after_a_good_start(
        delivery, {"app/bad.yaml": b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x\n"}
    )
    await delivery.until(complains("ComparisonError", "app/bad.yaml", "line"))
    await nothing_is_lost(delivery)


async def test_a_bad_commit_is_put_right_by_the_next_one(delivery: Delivery) -> None:
    await broken_after_a_good_start(delivery, {"app/bad.yaml": b"apiVersion: v1\nkind: ConfigMap\nmetadata: [\n"})
    await delivery.until(complains("ComparisonError", "app/bad.yaml"))
    commit = await delivery.push({}, remove=("app/bad.yaml",))
    app = await delivery.until(synced_to(commit))
    assert "conditions" not in app["status"]
    assert await delivery.get("ConfigMap", "b") is None


async def test_a_path_that_vanishes_prunes_nothing(delivery: Delivery) -> None:
    await broken_after_a_good_start(delivery, {"other/c.json": config_map("c")}, remove=("app/a.json",))
    await delivery.until(complains("ComparisonError", "app"))
    await nothing_is_lost(delivery)


async def test_a_chart_that_fails_is_quoted(delivery: Delivery) -> None:
    chart = {
        "app/Chart.yaml": b"apiVersion: v2\nname: bad\nversion: 1.0.0\n",
        "app/templates/x.yaml": b'{{ fail "this chart needs a name" }}',
    }
    await broken_after_a_good_start(delivery, chart, remove=("app/a.json",))
    await delivery.until(complains("ComparisonError", "this chart needs a name"))
    await nothing_is_lost(delivery)


async def test_a_huge_file_is_refused(delivery: Delivery) -> None:
    await broken_after_a_good_start(delivery, {"app/huge.yaml": b"# " + b"x" * 60 * 2**20})
    await delivery.until(complains("ComparisonError", "huge.yaml"))
    await nothing_is_lost(delivery)


async def test_a_symlink_out_of_the_repository_is_refused(delivery: Delivery, tmp_path: Path) -> None:
    delivery.begin({"app/a.json": config_map("a"), "app/b.json": config_map("b")})
    await delivery.apply(delivery.application(automated=AUTO))
    await delivery.until(synced)
    folder = tmp_path / "link"
    for command in (
        ["git", "clone", "-q", delivery.repo, str(folder)],
        ["ln", "-s", "/etc/passwd", str(folder / "app" / "link.yaml")],
        ["git", "-C", str(folder), "add", "-A"],
        ["git", "-C", str(folder), "-c", "user.name=t", "-c", "user.email=t@t", "commit", "-q", "-m", "Link out"],
        ["git", "-C", str(folder), "push", "-q", "origin", "HEAD"],
    ):
        await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True)
    await delivery.until(complains("ComparisonError", "link.yaml"))
    await nothing_is_lost(delivery)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ({"repoURL": "http://127.0.0.1:9/nothing.git"}, ("resolve",)),
        ({"targetRevision": "no-such-branch"}, ("no-such-branch",)),
        ({"path": "no/such/path"}, ("no/such/path",)),
    ],
    ids=["repository", "revision", "path"],
)
async def test_what_does_not_exist_is_named(delivery: Delivery, source: Obj, words: tuple[str, ...]) -> None:
    delivery.begin({"app/a.json": config_map("a")})
    await delivery.apply(delivery.application(source=source, automated=AUTO))
    app = await delivery.until(complains("ComparisonError", *words))
    assert app["status"]["sync"]["status"] == "Unknown"


async def test_a_repository_that_git_does_not_have_is_named(delivery: Delivery) -> None:
    delivery.begin({"app/a.json": config_map("a")})
    url = delivery.repo.replace(delivery.app, "no-such-repository")
    await delivery.apply(delivery.application(source={"repoURL": url}, automated=AUTO))
    await delivery.until(complains("ComparisonError", "no-such-repository"))


def hydrated(source: Obj) -> Obj:
    """The same source, to be rendered into a branch first."""
    return {"drySource": source, "syncSource": {"targetBranch": "hydrated", "path": "app"}}


NONSENSE: list[tuple[Callable[[Obj], None], tuple[str, ...]]] = [
    (lambda spec: spec["source"].update(path="../outside"), ("..",)),
    (lambda spec: spec["source"].update(path="/etc"), ("absolute",)),
    (lambda spec: spec.pop("source"), ("required",)),
    (lambda spec: spec["destination"].update(name="in-cluster"), ("both name and server",)),
    (lambda spec: spec["destination"].update(server="https://nowhere.example"), ("nowhere.example",)),
    (lambda spec: spec["destination"].pop("server"), ("Destination server missing",)),
    (lambda spec: spec.update(project="no-such-project"), ("no-such-project", "does not exist")),
    (lambda spec: spec.update(sourceHydrator=hydrated(spec.pop("source"))), ("sourceHydrator", "not supported")),
]


@pytest.mark.parametrize(("spoil", "words"), NONSENSE, ids=[words[0] for _, words in NONSENSE])
async def test_a_spec_that_can_mean_nothing_is_an_invalid_spec(
    delivery: Delivery, spoil: Callable[[Obj], None], words: tuple[str, ...]
) -> None:
    delivery.begin({"app/a.json": config_map("a")})
    app = delivery.application(automated=AUTO)
    spoil(app["spec"])
    await delivery.apply(app)
    seen = await delivery.until(complains("InvalidSpecError", *words))
    assert (seen["status"]["sync"]["status"], seen["status"]["health"]["status"]) == ("Unknown", "Unknown")


async def test_duplicates_are_warned_about_and_the_last_one_wins(delivery: Delivery) -> None:
    delivery.begin({"app/1.json": config_map("a", is_="first"), "app/2.json": config_map("a", is_="last")})
    await delivery.apply(delivery.application(automated=AUTO))
    app = await delivery.until(synced)
    assert complains("RepeatedResourceWarning", "appeared 2 times")(app)
    live = await delivery.get("ConfigMap", "a")
    assert live is not None
    assert live["data"] == {"is_": "last"}


async def failed_sync(delivery: Delivery, manifest: Obj, *words: str) -> Obj:
    """Sync one bad object beside a good one, without retries; the operation's words."""
    delivery.begin({"app/a.json": config_map("a"), "app/bad.json": orjson.dumps(manifest)})
    app = delivery.application(automated=AUTO)
    app["spec"]["syncPolicy"]["retry"] = {"limit": 0}
    await delivery.apply(app)
    return await delivery.until(
        lambda app: (
            (app.get("status", {}).get("operationState") or {}).get("phase") == "Failed"
            and all(word in app["status"]["operationState"]["message"] for word in words)
        )
    )


async def test_a_kind_that_the_cluster_does_not_know(delivery: Delivery) -> None:
    widget = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}}
    await failed_sync(delivery, widget, "Widget", "CustomResourceDefinition")
    await delivery.until(complains("SyncError", "Failed last sync attempt"))
    assert await delivery.get("ConfigMap", "a") is None, "nothing is applied when something is bound to fail"


async def test_an_object_that_the_api_server_refuses(delivery: Delivery) -> None:
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {"ports": [{"port": 99999}]}}
    await failed_sync(delivery, service, "spec.ports[0].port")


async def test_a_namespace_that_is_missing(delivery: Delivery) -> None:
    delivery.begin({"app/a.json": config_map("a")})
    app = delivery.application(automated=AUTO)
    app["spec"]["syncPolicy"] |= {"syncOptions": [], "retry": {"limit": 0}}
    await delivery.apply(app)
    await delivery.until(
        lambda app: (
            f'namespaces "{delivery.namespace}" not found'
            in ((app.get("status") or {}).get("operationState") or {}).get("message", "")
        )
    )


async def test_an_immutable_field(delivery: Delivery) -> None:
    def job(image: str) -> bytes:
        pod = {"restartPolicy": "Never", "containers": [{"name": "c", "image": image}]}
        meta = {"name": "j"}
        return orjson.dumps(
            {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": {"template": {"spec": pod}}}
        )

    delivery.begin({"app/job.json": job("one")})
    app = delivery.application(automated=AUTO)
    app["spec"]["syncPolicy"]["retry"] = {"limit": 0}
    await delivery.apply(app)
    await delivery.until(synced)
    await delivery.push({"app/job.json": job("two")})
    await delivery.until(lambda app: "immutable" in app["status"]["operationState"]["message"])
    assert await delivery.get("Job", "j", "batch") is not None


async def test_an_admission_that_denies(delivery: Delivery) -> None:
    pod = {"hostNetwork": True, "containers": [{"name": "c", "image": "busybox"}]}
    manifest = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": pod}
    delivery.begin({"app/a.json": config_map("a"), "app/pod.json": orjson.dumps(manifest)})
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    await delivery.apply(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": delivery.namespace, "labels": labels}}
    )
    app = delivery.application(automated=AUTO)
    app["spec"]["syncPolicy"]["retry"] = {"limit": -1, "backoff": {"duration": "2s", "factor": 1}}
    await delivery.apply(app)
    words = ("violates PodSecurity", "Retrying attempt")
    await delivery.until(lambda app: all(word in app["status"]["operationState"]["message"] for word in words))
    commit = await delivery.push({}, remove=("app/pod.json",))
    await delivery.until(synced_to(commit))


async def test_a_destination_cluster_that_is_down(delivery: Delivery) -> None:
    delivery.begin({"app/a.json": config_map("a")})
    name = f"{delivery.app}-cluster"
    server = "https://127.0.0.1:9"
    labels = {"argocd.argoproj.io/secret-type": "cluster"}
    await delivery.apply(
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": ARGO, "labels": labels}}
        | {"stringData": {"name": name, "server": server, "config": '{"bearerToken":"canary-token"}'}}
    )
    try:
        await delivery.apply(
            delivery.application(destination={"name": name, "namespace": delivery.namespace}, automated=AUTO)
        )
        app = await delivery.until(complains("ComparisonError", "127.0.0.1:9"))
        assert "canary-token" not in str(app["status"])
    finally:
        await delivery.stack.kubectl("delete", "secret", name, "-n", ARGO)
