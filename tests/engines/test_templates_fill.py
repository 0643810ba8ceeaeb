"""Go templates: sprig, the functions of ApplicationSets and notifications, whole trees, missing keys."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.engines import gotemplate
from shared.engines.client import Engines
from shared.engines.errors import EngineError

TEXT = st.text(st.characters(codec="utf-8"), max_size=30)


async def one(engines: Engines, text: str, data: Any = None, **options: Any) -> str:
    return (await gotemplate.render(engines, {"x": text}, data, **options))["x"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ .a }}", "1"),
        ("{{ .big }}", "9007199254740993"),
        ("{{ .f }}", "1.5"),
        ("{{ .none }}", "<no value>"),
        ("{{ .l }}", "[1 x]"),
        ("{{ .m }}", "map[k:v]"),
        ("{{ index .l 1 }}", "x"),
        ("{{ index .m `k` | upper | quote }}", '"V"'),
        ("{{ range $i, $e := .l }}{{ $i }}={{ $e }};{{ end }}", "0=1;1=x;"),
        ("{{ if and .t (not .none) }}yes{{ else }}no{{ end }}", "yes"),
        ("{{ default `d` .none }}{{ .m | toJson }}", 'd{"k":"v"}'),
        ("{{ `a-b-c` | splitList `-` | last }}", "c"),
        ("{{ add .a 2 }}{{ trunc 3 `abcdef` }}{{ ternary 1 2 .t }}", "3abc1"),
        ("{{ `x` | b64enc | b64dec | sha256sum | trunc 8 }}", "2d711642"),
        ("{{ regexReplaceAll `a+` `baab` `<$0>` }}", "b<aa>b"),
        ("{{- `trimmed` -}} ", "trimmed"),
        ("{{/* nothing */}}", ""),
        ("{{ semverCompare `^1.2` `1.3.0` }}", "true"),
        ("{{ printf `%05.1f|%q|%v` .f `x` .t }}", '001.5|"x"|true'),
    ],
)
async def test_values_and_functions(engines: Engines, text: str, expected: str) -> None:
    data = {"a": 1, "big": 9007199254740993, "f": 1.5, "none": None, "l": [1, "x"], "m": {"k": "v"}, "t": True}
    assert await one(engines, text, data) == expected


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("normalize `Feature/ABC_1.x`", "feature-abc-1.x"),
        ("normalize `--x--`", "x"),
        ("slugify `Hello World`", "hello-world"),
        ("slugify 10 true `hello world again`", "hello"),
        ("slugify 10 false `hello world again`", "hello-worl"),
        ("slugify 23 `feat/a_really+long_pull_request_name_to_test_argo_slugification`", "feat-a-really-long-pull"),
        ("toYaml .m", "k:\n- 1\n- x"),
        ("(fromYaml `a: {b: 5}`).a.b", "5"),
        ("index (fromYamlArray `[1, 2]`) 1", "2"),
    ],
)
async def test_functions_of_application_sets(engines: Engines, call: str, expected: str) -> None:
    data = {"m": {"k": [1, "x"]}}
    assert await one(engines, f"{{{{ {call} }}}}", data, functions="applicationset") == expected


async def test_functions_of_notifications(engines: Engines) -> None:
    data = {"app": {"status": {"at": "2026-11-23T12:00:00Z"}, "spec": {"url": "git@github.com:org/repo.git"}}}
    text = (
        "{{ (call .time.Parse .app.status.at).Year }} {{ call .repo.RepoURLToHTTPS .app.spec.url }} "
        "{{ call .repo.FullNameByRepoURL .app.spec.url }} {{ (call .repo.GetCommitMetadata `abc`).Author }} "
        "{{ call .strings.ToUpper `x` }}"
    )
    commits = {"abc": {"Author": "me"}}
    found = await one(engines, text, data, functions="notifications", commits=commits)
    assert found == "2026 https://github.com/org/repo org/repo me X"


@pytest.mark.parametrize(
    "url", ["https://github.com/org/repo.git", "ssh://git@github.com/org/repo", "git@github.com:org/repo"]
)
async def test_every_form_of_a_repository_url_is_a_link(engines: Engines, url: str) -> None:
    text = "{{ call .repo.RepoURLToHTTPS .u }}"
    assert await one(engines, text, {"u": url}, functions="notifications") == "https://github.com/org/repo"


async def test_a_tree_is_filled_for_every_set_of_parameters(engines: Engines) -> None:
    tree = {
        "metadata": {"name": "{{ .name }}", "labels": {"{{ .key }}": "x"}},
        "list": [1, None, True, "{{ .name }}-{{ .n }}"],
    }
    first, second = await gotemplate.fill(
        engines, tree, [{"name": "a", "key": "k", "n": 1}, {"name": "b", "key": "l", "n": 2}]
    )
    assert first == {"metadata": {"name": "a", "labels": {"k": "x"}}, "list": [1, None, True, "a-1"]}
    assert second == {"metadata": {"name": "b", "labels": {"l": "x"}}, "list": [1, None, True, "b-2"]}


async def test_one_failing_set_does_not_spoil_the_others(engines: Engines) -> None:
    found = await gotemplate.fill(engines, {"a": "{{ .x.y }}"}, [{"x": {"y": "ok"}}, {}], options=["missingkey=error"])
    assert found[0] == {"a": "ok"}
    assert isinstance(found[1], EngineError)
    assert 'map has no entry for key "x"' in found[1].message


@pytest.mark.parametrize(
    ("text", "reason", "words"),
    [
        ("{{ if }}", "TemplateInvalid", "missing value for if"),
        ("{{ nothing }}", "TemplateInvalid", 'function "nothing" not defined'),
        ("{{ .x", "TemplateInvalid", "unclosed action"),
        ("{{ fail `because` }}", "TemplateFailed", "because"),
        ("{{ index .l 9 }}", "TemplateFailed", "out of range"),
        ("{{ template `none` }}", "TemplateFailed", "none"),
    ],
)
async def test_errors_say_what_and_where(engines: Engines, text: str, reason: str, words: str) -> None:
    with pytest.raises(EngineError) as caught:
        await one(engines, text, {"l": [1]})
    assert caught.value.reason == reason
    assert words in caught.value.message


async def test_an_unknown_option_or_set_is_refused(engines: Engines) -> None:
    with pytest.raises(EngineError, match="unrecognized option"):
        await one(engines, "x", options=["nonsense=1"])
    with pytest.raises(EngineError, match="no set of functions"):
        await engines.call("gotemplate.render", {"templates": {}, "functions": "nonsense"})


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(TEXT, min_size=1, max_size=20))
async def test_any_text_passes_through_unchanged(engines: Engines, texts: list[str]) -> None:
    found = await gotemplate.fill(engines, ["{{ .x }}"], [{"x": text} for text in texts])
    assert found == [[text] for text in texts]


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(TEXT.filter(lambda text: "{{" not in text), min_size=1, max_size=20))
async def test_text_without_actions_is_itself(engines: Engines, texts: list[str]) -> None:
    found = await gotemplate.render(engines, {str(n): text for n, text in enumerate(texts)}, {})
    assert found == {str(n): text for n, text in enumerate(texts)}


@settings(max_examples=40, deadline=None)
@given(names=st.lists(st.text(st.characters(codec="ascii"), max_size=40), min_size=1, max_size=20))
async def test_normalized_names_are_dns_names(engines: Engines, names: list[str]) -> None:
    found = await gotemplate.fill(engines, "{{ normalize .n }}", [{"n": name} for name in names])
    for name in found:
        assert isinstance(name, str)
        assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-.")
        assert name == name.strip("-.")
