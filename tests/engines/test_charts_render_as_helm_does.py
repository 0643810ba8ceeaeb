"""`helm template`'s behaviour: values and their precedence, capabilities, hooks and CRDs, subcharts, refusals."""

import io
import json
import tarfile
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.engines import helm
from shared.engines.client import Engines
from shared.engines.errors import EngineError
from shared.engines.files import InMemory

CHART = b"apiVersion: v2\nname: c\nversion: 1.2.3\nappVersion: '7'\n"


def manifest(data: str, *, name: str = "x", kind: str = "ConfigMap", extra: str = "") -> bytes:
    return f"apiVersion: v1\nkind: {kind}\nmetadata:\n  name: {name}\n{extra}data:\n  v: {data}\n".encode()


def chart(files: Mapping[str, bytes], folder: str = "c") -> InMemory:
    return InMemory({f"{folder}/{path}": data for path, data in {"Chart.yaml": CHART, **files}.items()})


def tgz(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


async def objects(engines: Engines, files: InMemory, **options: Any) -> list[dict[str, Any]]:
    rendered = await helm.template(engines, files, "c", **{"release": "r", "namespace": "ns", **options})
    return [json.loads(each.json) for each in rendered.manifests]


async def value(engines: Engines, expression: str, files: Mapping[str, bytes] | None = None, **options: Any) -> Any:
    """What a template's expression comes to, as JSON."""
    template = manifest(f"{{{{ {expression} | toJson | quote }}}}")
    (found,) = await objects(engines, chart({"templates/a.yaml": template, **(files or {})}), **options)
    return json.loads(found["data"]["v"])


async def test_a_manifest_knows_its_release_and_chart(engines: Engines) -> None:
    found = await value(
        engines, "list .Release.Name .Release.Namespace .Release.IsInstall .Release.Revision .Chart.AppVersion"
    )
    assert found == ["r", "ns", True, 1, "7"]
    assert await value(engines, ".Release.IsUpgrade", is_upgrade=True) is True


async def test_the_result_names_chart_version_source_and_notes(engines: Engines) -> None:
    files = chart({"templates/a.yaml": manifest("1"), "templates/NOTES.txt": b"hello {{ .Release.Name }}"})
    rendered = await helm.template(engines, files, "c", release="r")
    assert (rendered.chart, rendered.version, rendered.notes) == ("c", "1.2.3", "hello r")
    assert [each.source for each in rendered.manifests] == ["c/templates/a.yaml"]


async def test_later_values_win_and_parameters_win_over_all(engines: Engines) -> None:
    files = {"values.yaml": b"a: {p: chart, q: chart, r: chart, s: chart, l: [1, 2]}"}
    given_values = [b"a: {q: first, r: first, s: first, l: [3]}", b'{"a": {"r": "second", "s": "second"}}']
    found = await value(engines, ".Values.a", files, values=given_values, set_values=["a.s=set", "a.t=5"])
    assert found == {"p": "chart", "q": "first", "r": "second", "s": "set", "l": [3], "t": 5}


async def test_null_deletes_a_value_of_the_chart(engines: Engines) -> None:
    found = await value(engines, ".Values.a", {"values.yaml": b"a: {p: 1, q: 2}"}, values=[b"a: {p: null}"])
    assert found == {"q": 2}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("a=1", 1),
        ("a=true", True),
        ("a=null", None),
        ("a=1.5", "1.5"),
        ("a=x\\,y", "x,y"),
        ("a={x,y}", ["x", "y"]),
        ("a={}", [""]),
        ("a[1]=x", [None, "x"]),
        ("a.b\\.c=1", {"b.c": 1}),
        ("a=", ""),
        ("a=007", "007"),
        ("a[0].b=1,a[0].c=2", [{"b": 1, "c": 2}]),
    ],
)
async def test_set_reads_types_lists_and_escapes(engines: Engines, expression: str, expected: object) -> None:
    found = await value(engines, ".Values", set_values=[expression])
    assert found.get("a") == expected


@pytest.mark.parametrize("text", ["1", "true", "null", "1e3", "x"])
async def test_set_string_keeps_text(engines: Engines, text: str) -> None:
    assert await value(engines, ".Values.a", set_strings=[f"a={text}"]) == text


async def test_a_file_parameter_is_the_files_text(engines: Engines) -> None:
    content = 'a,b={"x": 1}\nä\n'.encode()
    found = await value(engines, ".Values.f", set_files=[("f.one", content), ("f.two", b"2")])
    assert found == {"one": content.decode(), "two": "2"}


async def test_a_bad_parameter_is_named(engines: Engines) -> None:
    with pytest.raises(EngineError, match=r'parameter "a\[x\]=1"') as caught:
        await value(engines, ".Values", set_values=["a[x]=1"])
    assert caught.value.reason == "ValuesInvalid"


async def test_bad_values_are_named_by_their_place(engines: Engines) -> None:
    with pytest.raises(EngineError, match="values 2 of 2") as caught:
        await value(engines, ".Values", values=[b"a: 1", b"a: ["])
    assert caught.value.reason == "ValuesInvalid"


async def test_capabilities_are_those_of_the_destination(engines: Engines) -> None:
    has = ".Capabilities.APIVersions.Has"
    expression = f'list .Capabilities.KubeVersion.Version ({has} "x.io/v1/Y") ({has} "apps/v1")'
    found = await value(engines, expression, kube_version="1.31.2", api_versions=["x.io/v1/Y"])
    assert found == ["v1.31.2", True, True]
    assert await value(engines, '.Capabilities.APIVersions.Has "x.io/v1/Y"') is False


@pytest.mark.parametrize(
    ("wanted", "given_version", "fits"), [(">=1.30.0-0", "1.31.2", True), ("<1.20", "1.31.2", False)]
)
async def test_a_chart_may_refuse_a_kubernetes_version(
    engines: Engines, wanted: str, given_version: str, fits: bool
) -> None:
    files = chart({"Chart.yaml": CHART + f"kubeVersion: '{wanted}'\n".encode(), "templates/a.yaml": manifest("1")})
    if fits:
        assert len(await objects(engines, files, kube_version=given_version)) == 1
        return
    with pytest.raises(EngineError) as caught:
        await objects(engines, files, kube_version=given_version)
    assert caught.value.reason == "KubeVersionIncompatible"


async def test_manifests_come_in_install_order_with_crds_before_and_hooks_behind(engines: Engines) -> None:
    hook = "  annotations: {helm.sh/hook: pre-install}\n"
    test = "  annotations: {helm.sh/hook: test}\n"
    crd = b"apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: crd}\n"
    hooks = [manifest("1", name="job", kind="Job", extra=hook), manifest("1", name="check", kind="Pod", extra=test)]
    files = chart(
        {
            "crds/crd.yaml": crd,
            "templates/z.yaml": b"---\n".join(hooks),
            "templates/a.yaml": manifest("1", name="svc", kind="Service") + b"---\n" + manifest("1", name="cm"),
            "templates/b.yaml": manifest("1", name="ns", kind="Namespace"),
        }
    )
    names = [each["metadata"]["name"] for each in await objects(engines, files)]
    assert names == ["crd", "ns", "cm", "svc", "check", "job"]
    names = [each["metadata"]["name"] for each in await objects(engines, files, include_crds=False, skip_tests=True)]
    assert names == ["ns", "cm", "svc", "job"]


async def test_a_charts_files_can_be_read_and_matched(engines: Engines) -> None:
    files = {"conf/a.txt": b"A", "conf/b.txt": b"B", "other.txt": b"C"}
    assert await value(engines, '(.Files.Glob "conf/*").AsConfig', files) == "a.txt: A\nb.txt: B"
    assert await value(engines, '.Files.Get "other.txt"', files) == "C"
    assert await value(engines, '.Files.Lines "other.txt"', files) == ["C"]


async def test_helmignore_hides_files(engines: Engines) -> None:
    files = {".helmignore": b"conf/\n*.secret\n", "conf/a.txt": b"A", "x.secret": b"S", "kept": b"K"}
    assert await value(
        engines, 'list (.Files.Get "conf/a.txt") (.Files.Get "x.secret") (.Files.Get "kept")', files
    ) == ["", "", "K"]


async def test_subcharts_are_folders_or_archives_with_values_conditions_and_aliases(engines: Engines) -> None:
    dependencies = b"""dependencies:
- {name: folder, version: '*', repository: ''}
- {name: archive, version: '>=1', repository: '', alias: one}
- {name: archive, version: '>=1', repository: '', alias: two, condition: two.enabled}
"""
    template = b"""apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Chart.Name }}}
data: {v: {{ .Values.v }}, g: {{ .Values.global.g }}}
"""
    sub = {"Chart.yaml": b"apiVersion: v2\nname: NAME\nversion: 1.0.0\n", "values.yaml": b"v: default\n"}
    archive = {f"archive/{k}": v.replace(b"NAME", b"archive") for k, v in {**sub, "templates/a.yaml": template}.items()}
    folder = {
        f"charts/folder/{k}": v.replace(b"NAME", b"folder") for k, v in {**sub, "templates/a.yaml": template}.items()
    }
    files = chart({"Chart.yaml": CHART + dependencies, "charts/archive-1.0.0.tgz": tgz(archive), **folder})
    values = [b"folder: {v: mine}\none: {v: uno}\ntwo: {enabled: false}\nglobal: {g: all}\n"]
    found = {each["metadata"]["name"]: each["data"] for each in await objects(engines, files, values=values)}
    assert found == {"folder": {"v": "mine", "g": "all"}, "one": {"v": "uno", "g": "all"}}


async def test_missing_dependencies_are_listed(engines: Engines) -> None:
    dependencies = (
        b"dependencies:\n- {name: redis, version: ^1.0, repository: 'https://charts.example.com'}\n"
        b"- {name: lib, version: 2.0.0, repository: 'file://../lib', alias: l}\n"
    )
    lock = b"dependencies:\n- {name: redis, version: 1.4.2, repository: 'https://charts.example.com'}\n"
    files = chart({"Chart.yaml": CHART + dependencies, "Chart.lock": lock})
    with pytest.raises(EngineError, match="redis, lib") as caught:
        await objects(engines, files)
    assert helm.missing_dependencies(caught.value) == (
        helm.Dependency("redis", "https://charts.example.com", "^1.0", "", "1.4.2"),
        helm.Dependency("lib", "file://../lib", "2.0.0", "l", ""),
    )


async def test_a_schema_refuses_values_unless_it_is_skipped(engines: Engines) -> None:
    files = {"values.schema.json": b'{"properties": {"count": {"type": "integer"}}}'}
    with pytest.raises(EngineError, match="count") as caught:
        await value(engines, ".Values.count", files, values=[b"count: text"])
    assert caught.value.reason == "SchemaViolation"
    assert await value(engines, ".Values.count", files, values=[b"count: text"], skip_schema=True) == "text"


async def test_a_schema_from_the_network_is_not_fetched(engines: Engines) -> None:
    files = {"values.schema.json": b'{"$ref": "https://127.0.0.1:1/schema.json"}'}
    with pytest.raises(EngineError) as caught:
        await value(engines, ".Values", files)
    assert caught.value.reason == "SchemaViolation"


@pytest.mark.parametrize(
    ("files", "reason", "words"),
    [
        ({"Chart.yaml": b"name: ["}, "ChartInvalid", "Chart.yaml"),
        ({"Chart.yaml": b"apiVersion: v2\nname: c\n"}, "ChartInvalid", "version"),
        ({"Chart.yaml": CHART + b"type: library\n"}, "ChartNotInstallable", "library"),
        ({"values.yaml": b"a: ["}, "ChartInvalid", "values.yaml"),
        ({"templates/a.yaml": b"{{ .Values.a.b.c }}"}, "TemplateFailed", "c/templates/a.yaml"),
        ({"templates/a.yaml": b"{{ if }}"}, "TemplateFailed", "c/templates/a.yaml"),
        ({"templates/a.yaml": b'{{ fail "not like this" }}'}, "TemplateFailed", "not like this"),
        ({"templates/a.yaml": b'{{ required "a is needed" .Values.a }}'}, "TemplateFailed", "a is needed"),
        ({"templates/a.yaml": b"a: [\n"}, "ManifestInvalid", "c/templates/a.yaml"),
        ({"templates/a.yaml": b"- 1\n"}, "ManifestInvalid", "c/templates/a.yaml"),
        ({"charts/x.tgz": b"no archive"}, "ChartInvalid", "x.tgz"),
    ],
)  # fmt: skip
async def test_a_broken_chart_is_refused_with_the_place(
    engines: Engines, files: dict[str, bytes], reason: str, words: str
) -> None:
    with pytest.raises(EngineError) as caught:
        await objects(engines, chart(files))
    assert (caught.value.reason, words in caught.value.message) == (reason, True)


async def test_no_chart_is_said(engines: Engines) -> None:
    with pytest.raises(EngineError, match=r"Chart.yaml file is missing"):
        await helm.template(engines, InMemory({"c/x": b""}), "c", release="r")


@pytest.mark.parametrize("name", ["Upper", "under_score", "-x", "x" * 54, ""])
async def test_a_bad_release_name_is_refused(engines: Engines, name: str) -> None:
    with pytest.raises(EngineError) as caught:
        await objects(engines, chart({"templates/a.yaml": manifest("1")}), release=name)
    assert caught.value.reason == "ReleaseNameInvalid"


async def test_numbers_keep_their_precision(engines: Engines) -> None:
    template = (
        b"apiVersion: v1\nkind: X\nmetadata: {name: x}\nbig: 9007199254740993\nfloat: 1.5\nexp: 1e3\noctal: 0755\n"
    )
    (found,) = await objects(engines, chart({"templates/a.yaml": template}))
    assert (found["big"], found["float"], found["exp"], found["octal"]) == (9007199254740993, 1.5, 1000, 493)


NOT_IN_YAML = "\ufffe\uffff"
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters=NOT_IN_YAML))
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**50), 2**50) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abcdef", min_size=1), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(given_values=st.dictionaries(st.text("abcdef", min_size=1), PLAIN, max_size=4))
async def test_values_reach_templates_unchanged(engines: Engines, given_values: dict[str, Any]) -> None:
    text = json.dumps({"top": [given_values]}, ensure_ascii=False).encode()
    assert await value(engines, ".Values.top", values=[text]) == [given_values]
