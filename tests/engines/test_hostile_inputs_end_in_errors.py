"""Whatever a template, script or expression tries, it ends in a clear error, and the next call works.

Files of the machine, its environment, its network and other programs are out of reach; endless work and hunger for
memory are ended.
"""

import asyncio
import json
from collections.abc import AsyncIterator

import psutil
import pytest
import pytest_asyncio

from shared.engines import expressions, gotemplate, helm, jsonnet, kustomize, lua, query, regex
from shared.engines.client import Engines
from shared.engines.errors import EngineCrashed, EngineError, EngineFailure, EngineOutputTooLarge, EngineTimeout
from shared.engines.files import InMemory
from tests.parts.engines import engines_binary

CHART = b"apiVersion: v2\nname: c\nversion: 1.0.0\n"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def small() -> AsyncIterator[Engines]:
    """A pool of one worker with little memory and small replies, so that abuse ends soon."""
    async with Engines(await engines_binary(), size=1, memory_mb=300, max_output_mb=1, deadline=60) as pool:
        yield pool


async def render(engines: Engines, text: str, *, deadline: float = 60.0) -> dict[str, dict[str, str]]:
    manifest = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: x}}\ndata:\n  v: {text}\n".encode()
    files = InMemory({"c/Chart.yaml": CHART, "c/templates/a.yaml": manifest})
    rendered = await helm.template(engines, files, "c", release="r", deadline=deadline)
    found: dict[str, dict[str, str]] = json.loads(rendered.manifests[0].json)
    return found


@pytest.mark.parametrize("path", ["/etc/passwd", "../../../../etc/passwd", "../values.yaml", "file:///etc/passwd"])
async def test_a_chart_reads_nothing_outside_itself(engines: Engines, path: str) -> None:
    found = await render(engines, f"{{{{ .Files.Get {json.dumps(path)} | quote }}}}")
    assert found["data"]["v"] == ""


@pytest.mark.parametrize("call", ['env "PATH"', 'expandenv "$PATH"'])
async def test_a_chart_knows_no_environment(engines: Engines, call: str) -> None:
    with pytest.raises(EngineError, match="not defined") as caught:
        await render(engines, f"{{{{ {call} }}}}")
    assert caught.value.reason == "TemplateFailed"


async def test_a_chart_asks_no_name_server_and_no_cluster(engines: Engines) -> None:
    found = await render(engines, '{{ getHostByName "localhost" | quote }}')
    assert found["data"]["v"] == ""
    found = await render(engines, '{{ lookup "v1" "Secret" "kube-system" "" | toJson | quote }}')
    assert found["data"]["v"] == "{}"


@pytest.mark.parametrize("resource", ["../../../etc/passwd", "/etc/passwd", "../../../../../../etc/passwd"])
async def test_a_kustomization_reads_nothing_outside_the_repository(engines: Engines, resource: str) -> None:
    text = json.dumps({"resources": [resource], "configMapGenerator": [{"name": "x", "files": [resource]}]})
    files = InMemory({"a/b/kustomization.yaml": text.encode()})
    with pytest.raises(EngineError) as caught:
        await kustomize.build(engines, files, "a/b", options=["--load-restrictor", "LoadRestrictionsNone"])
    assert caught.value.reason == "KustomizeFailed"
    assert "root:" not in caught.value.message


@pytest.mark.parametrize(
    "resource",
    [
        "https://example.com/x.yaml",
        "github.com/org/repo?ref=main",
        "git@github.com:org/repo.git",
        "ssh://git@example.com/repo//base",
        "git::https://example.com/repo.git",
        "https://user:secret@example.com/repo.git?ref=v1",
    ],
)
async def test_a_remote_base_is_refused_by_name(engines: Engines, resource: str) -> None:
    files = InMemory({"kustomization.yaml": json.dumps({"resources": [resource]}).encode()})
    with pytest.raises(EngineError, match="vendor it into the repository") as caught:
        await kustomize.build(engines, files, ".")
    assert caught.value.reason == "RemoteResource"
    assert "secret" not in caught.value.message


@pytest.mark.parametrize(
    "option", ["--enable-helm", "--enable-exec", "--enable-alpha-plugins", "--network", "--helm-command=/x"]
)
async def test_build_options_that_run_programs_are_refused(engines: Engines, option: str) -> None:
    with pytest.raises(EngineError, match="run no programs") as caught:
        await kustomize.build(engines, InMemory({"kustomization.yaml": b"{}"}), ".", options=[option])
    assert caught.value.reason == "UnsupportedBuildOption"


async def test_a_chart_inside_a_kustomization_is_refused(engines: Engines) -> None:
    files = InMemory({"kustomization.yaml": b"helmCharts: [{name: x, repo: 'https://example.com'}]"})
    with pytest.raises(EngineError, match="a source of its own") as caught:
        await kustomize.build(engines, files, ".")
    assert caught.value.reason == "HelmInKustomize"


@pytest.mark.parametrize("name", ["/etc/passwd", "../../etc/passwd", "../../../../../../etc/passwd"])
async def test_jsonnet_imports_nothing_outside_the_repository(engines: Engines, name: str) -> None:
    files = InMemory({"a/x.jsonnet": f"importstr '{name}'".encode()})
    with pytest.raises(EngineError) as caught:
        await jsonnet.evaluate(engines, files, "a/x.jsonnet", search=["a"])
    assert caught.value.reason == "PathEscape"


async def test_jq_knows_no_environment(engines: Engines) -> None:
    assert await query.jq(engines, "[env, $ENV]", {}) == [[{}, {}]]


@pytest.mark.parametrize("name", ["env", "expandenv", "getHostByName"])
@pytest.mark.parametrize("functions", ["sprig", "applicationset", "notifications"])
async def test_templates_have_no_environment_and_no_network(
    engines: Engines, name: str, functions: gotemplate.Functions
) -> None:
    with pytest.raises(EngineError, match="not defined"):
        await gotemplate.render(engines, {"x": f'{{{{ {name} "HOME" }}}}'}, {}, functions=functions)


@pytest.mark.parametrize(
    "name",
    ["io", "socket", "package", "debug", "dofile", "loadfile", "loadstring", "load", "module", "os.execute",
     "os.getenv", "os.remove", "os.exit", "os.tmpname", "os.rename"],
)  # fmt: skip
async def test_lua_has_no_way_out(engines: Engines, name: str) -> None:
    assert await lua.run(engines, f"return {name} == nil", {}, open_libs=True) == [True]


def jq(text: str) -> tuple[str, dict[str, object]]:
    return "jq.run", {"filter": text, "input": None}


def templated(text: str) -> tuple[str, dict[str, object]]:
    return "gotemplate.render", {"templates": {"x": text}, "data": {}}


def script(text: str) -> tuple[str, dict[str, object]]:
    return "lua.run", {"script": text, "globals": {}, "open_libs": True, "milliseconds": 500}


def file(op: str, **args: object) -> tuple[str, dict[str, object]]:
    return op, args


BOMB = b"a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + b"".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n".encode() for i in range(1, 12)
)
FILES = InMemory(
    {
        "bomb/Chart.yaml": CHART,
        "bomb/values.yaml": BOMB,
        "include/Chart.yaml": CHART,
        "include/templates/a.yaml": b'{{ define "a" }}{{ include "a" . }}{{ end }}{{ include "a" . }}',
        "recursion.jsonnet": b"local f(x) = f(x + 1); f(0)",
        "loop.jsonnet": b"std.foldl(function(a, b) a + b, std.range(1, 1000000000), 0)",
    }
)
ENDLESS = {
    "lua loop": script("while true do end"),
    "lua pattern": script("return string.find(string.rep('a', 40), string.rep('a?', 40)..'b')"),
    "lua memory": script("local s = 'x' while true do s = s .. s end"),
    "lua rep": script("return #string.rep('x', 1e12)"),
    "lua stack": script("local function f() return 1 + f() end return f()"),
    "lua cycle": script("local t = {} t.t = t return t"),
    "jq loop": jq("[limit(1e18; repeat(1))] | length"),
    "jq exponential": jq("reduce range(1000) as $i ([1]; . + .) | length"),
    "jq recursion": jq("def f: f; f"),
    "jq memory": jq('"x" * 4000000000 | length'),
    "template recursion": templated('{{ define "a" }}{{ template "a" . }}{{ end }}{{ template "a" . }}'),
    "template product": templated("{{ range until 99999 }}{{ range until 99999 }}{{ end }}{{ end }}"),
    "template repeat": templated('{{ repeat 2000000000 "x" | len }}'),
    "helm include": file("helm.template", chart="include", release="r"),
    "helm aliases": file("helm.template", chart="bomb", release="r"),
    "jsonnet recursion": file("jsonnet.evaluate", path="recursion.jsonnet"),
    "jsonnet loop": file("jsonnet.evaluate", path="loop.jsonnet"),
    "govaluate": file("govaluate.evaluate", expression="(" * 500_000, parameters={}),
    "deep json": file("gjson.get", json=b"[" * 5_000_000, paths=["a"]),
}


@pytest.mark.parametrize("name", ENDLESS)
async def test_endless_work_and_hunger_end_and_the_next_call_works(small: Engines, name: str) -> None:
    op, args = ENDLESS[name]
    with pytest.raises(EngineFailure) as caught:
        await small.call(op, args, deadline=1, files=FILES)
    assert str(caught.value)
    assert await small.call("ping", None) == "pong"


async def test_a_large_result_is_refused_by_its_size(small: Engines) -> None:
    with pytest.raises(EngineOutputTooLarge, match="allowed are 1048576"):
        await gotemplate.render(small, {"x": '{{ repeat 2000000 "x" }}'}, {})
    assert await small.call("ping", None) == "pong"


async def test_a_memory_bomb_is_named_as_one(small: Engines) -> None:
    with pytest.raises(EngineCrashed, match="more memory than it may") as caught:
        await gotemplate.render(small, {"x": '{{ repeat 2000000000 "x" | len }}'}, {})
    assert caught.value.out_of_memory
    assert max(psutil.Process(pid).memory_info().rss for pid in small.pids or (1,)) < 400e6


async def test_an_expression_without_end_is_refused(engines: Engines) -> None:
    with pytest.raises(EngineError, match="memory budget exceeded"):
        await expressions.evaluate(engines, "map(1..1000000000, # * 2)", {})


async def test_a_slow_call_is_named_with_its_limit(small: Engines) -> None:
    with pytest.raises(EngineTimeout, match=r"jq.run took longer than 0.2 s"):
        await small.call("jq.run", {"filter": "def f: f; f", "input": None}, deadline=0.2)


async def test_a_backtracking_pattern_takes_no_time(engines: Engines) -> None:
    async with asyncio.timeout(60):
        assert await regex.matches(engines, "(a+)+$", ["a" * 50_000 + "!"]) == [False]
