"""Any text, in any language, is an answer or the language's own `EngineError`: never a dead worker, never a panic."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.engines.client import Engines
from shared.engines.errors import EngineError
from shared.engines.files import InMemory

CHART = b"apiVersion: v2\nname: c\nversion: 1.0.0\n"
DATA = {"a": [1, {"b": None}], "s": "x"}
SIGNS = "{}[]()<>|&$#@!?*+-/\\.,:;=~^%'\"` \n\tax10_"
SYNTAX = st.sampled_from([*SIGNS, "{{", "}}", "end", "if ", "..", "||", "//", "null"])
TEXTS = st.lists(SYNTAX, max_size=25).map("".join) | st.text(max_size=20)
Call = tuple[str, dict[str, Any]]
PATCHED = {"group": "apps", "version": "v1", "kind": "Deployment", "original": b"{}"}
LANGUAGES: dict[str, Callable[[str], Call]] = {
    "jq": lambda text: ("jq.run", {"filter": text, "input": DATA, "limit": 5}),
    "expr": lambda text: ("expr.evaluate", {"expressions": [text], "env": DATA, "functions": "workflows"}),
    "govaluate": lambda text: ("govaluate.evaluate", {"expression": text, "parameters": {"a": 1, "s": "x"}}),
    "lua": lambda text: ("lua.run", {"script": text, "globals": DATA, "open_libs": True, "milliseconds": 200}),
    "template": lambda text: ("gotemplate.render", {"templates": {"t": text}, "data": DATA}),
    "gjson": lambda text: ("gjson.get", {"json": b'{"a": [1, {"b": null}], "s": "x"}', "paths": [text]}),
    "gjson data": lambda text: ("gjson.get", {"json": text.encode(), "paths": ["a.b"]}),
    "sjson": lambda text: ("sjson.edit", {"json": b'{"a": [1]}', "edits": [(text, "set", 1)]}),
    "jsonpath": lambda text: ("jsonpath.get", {"template": text, "data": DATA, "allow_missing": True}),
    "semver": lambda text: ("semver.matching", {"constraint": text, "versions": ["1.0.0", text]}),
    "cron": lambda text: ("cron.next", {"schedule": text, "after": 0, "count": 2}),
    "cron zone": lambda text: ("cron.next", {"schedule": "* * * * *", "timezone": text, "after": 0, "count": 2}),
    "regex": lambda text: ("regex.find", {"pattern": text, "texts": ["abc", text]}),
    "strategic": lambda text: ("strategic.apply", {**PATCHED, "patch": text.encode()}),
    "pod": lambda text: ("pods.validate", {"template": text.encode(), "path": "x"}),
    "helm set": lambda text: ("helm.template", {"chart": "c", "release": "r", "set": [text]}),
    "helm values": lambda text: ("helm.template", {"chart": "c", "release": "r", "values": [text.encode()]}),
    "image": lambda text: ("kustomize.build", {"folder": "k", "edits": {"images": [text]}, "options": []}),
    "build option": lambda text: ("kustomize.build", {"folder": "k", "edits": {}, "options": [text]}),
}
CHART_FILES = [
    "Chart.yaml",
    "Chart.lock",
    "requirements.yaml",
    "values.yaml",
    "values.schema.json",
    ".helmignore",
    "templates/a.yaml",
    "charts/x.tgz",
    "crds/x.yaml",
]
KUSTOMIZATIONS = ["", "resources: ", "patches: ", "images: ", "configMapGenerator: ", "replacements: "]
FILES = {"c/Chart.yaml": CHART, "k/kustomization.yaml": b"resources: []"}


async def answered(engines: Engines, op: str, args: dict[str, Any], files: InMemory) -> None:
    reason = ""
    try:
        await engines.call(op, args, files=files)
    except EngineError as error:
        reason = error.reason
    assert reason not in ("EngineBug", "BadRequest")


@pytest.mark.parametrize("language", LANGUAGES)
@settings(max_examples=150, deadline=None)
@given(text=TEXTS)
async def test_any_text_in_a_language(engines: Engines, language: str, text: str) -> None:
    op, args = LANGUAGES[language](text)
    await answered(engines, op, args, InMemory(FILES))


@pytest.mark.parametrize("name", CHART_FILES)
@settings(max_examples=100, deadline=None)
@given(text=TEXTS)
@example(text="\x00")
async def test_any_file_of_a_chart(engines: Engines, name: str, text: str) -> None:
    files = InMemory({**FILES, f"c/{name}": text.encode()})
    await answered(engines, "helm.template", {"chart": "c", "release": "r", "include_crds": True}, files)


@pytest.mark.parametrize("prefix", KUSTOMIZATIONS)
@settings(max_examples=100, deadline=None)
@given(text=TEXTS)
async def test_any_kustomization_and_resource(engines: Engines, prefix: str, text: str) -> None:
    files = InMemory({"k/kustomization.yaml": (prefix + text).encode(), "k/x.yaml": text.encode()})
    await answered(engines, "kustomize.build", {"folder": "k", "edits": {"namePrefix": "p-"}, "options": []}, files)


@settings(max_examples=200, deadline=None)
@given(text=TEXTS)
async def test_any_jsonnet(engines: Engines, text: str) -> None:
    await answered(engines, "jsonnet.evaluate", {"path": "x"}, InMemory({"x": text.encode()}))
