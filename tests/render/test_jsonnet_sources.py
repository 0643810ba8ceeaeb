"""Jsonnet files of Directory sources through the whole service: variables, arguments, libraries, what is refused."""

from typing import Any

import pytest

from shared.events import RequestError
from tests.render.service import Service
from tests.render.tools import config_map

OBJECT = "{apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: 'one'}, data: {text: %s}}"


def text(objects: list[dict[str, Any]]) -> str:
    return str(objects[0]["data"]["text"])


async def test_an_object_or_a_list_of_objects_is_rendered_beside_yaml(service: Service) -> None:
    answer = await service.rendered(
        {
            "app/a.yaml": config_map("plain"),
            "app/b.jsonnet": OBJECT % "'x'",
            "app/c.jsonnet": "[{apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: n}} for n in ['two', 'three']]",
        }
    )
    assert answer.names == ["plain", "one", "two", "three"]
    assert answer.reply.sources[0].source_type == "Directory"


async def test_jsonnet_can_be_switched_off(service: Service) -> None:
    files = {"app/a.yaml": config_map("plain"), "app/b.jsonnet": OBJECT % "'x'"}
    answer = await service.rendered(files, request={"settings": {"jsonnet.enable": "false"}})
    assert answer.names == ["plain"]


async def test_variables_and_arguments_are_given_as_text_or_code(service: Service) -> None:
    variables = [
        {"name": "text", "value": "$ARGOCD_APP_NAME"},
        {"name": "code", "value": "1 + 1", "code": True},
    ]
    files = {"app/a.jsonnet": OBJECT % "std.extVar('text') + std.extVar('code')"}
    assert text((await service.rendered(files, directory={"jsonnet": {"extVars": variables}})).objects) == "guestbook2"
    files = {"app/a.jsonnet": "function(text, code) " + OBJECT % "text + code"}
    assert text((await service.rendered(files, directory={"jsonnet": {"tlas": variables}})).objects) == "guestbook2"


async def test_imports_are_found_beside_the_file_and_in_libraries(service: Service) -> None:
    files = {
        "app/deep/a.jsonnet": OBJECT
        % "(import 'near.libsonnet') + (import 'far.libsonnet') + (import 'top.libsonnet')",
        "app/deep/near.libsonnet": "'near '",
        "vendor/far.libsonnet": "'far '",
        "app/top.libsonnet": "'top'",
    }
    directory = {"recurse": True, "include": "*.jsonnet", "jsonnet": {"libs": ["vendor"]}}
    answer = await service.rendered(files, directory=directory)
    assert text(answer.objects) == "near far top"
    assert "vendor/far.libsonnet" in answer.inputs


async def test_importing_text_reads_a_file_of_the_repository(service: Service) -> None:
    files = {"app/a.jsonnet": OBJECT % "importstr '../shared/note.txt'", "shared/note.txt": "noted"}
    answer = await service.rendered(files)
    assert text(answer.objects) == "noted"
    assert answer.inputs == ("app/", "shared/note.txt")


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "../../../../../../etc/passwd"])
async def test_an_import_outside_the_repository_is_refused(service: Service, name: str) -> None:
    with pytest.raises(RequestError) as failure:
        await service.rendered({"app/a.jsonnet": OBJECT % f"importstr '{name}'"})
    assert failure.value.reason == "PathEscapesRepository"
    assert "root:" not in failure.value.message


async def test_a_library_outside_the_repository_is_refused(service: Service) -> None:
    with pytest.raises(RequestError) as failure:
        await service.rendered({"app/a.jsonnet": OBJECT % "'x'"}, directory={"jsonnet": {"libs": ["../../etc"]}})
    assert failure.value.reason == "PathEscapesRepository"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("{a: ", "a.jsonnet"),
        ("error 'not today'", "not today"),
        ("'text'", "neither an object nor a list"),
        ("import 'nothing.libsonnet'", "nothing.libsonnet"),
    ],
)
async def test_what_is_wrong_is_said(service: Service, code: str, said: str) -> None:
    with pytest.raises(RequestError, match=said) as failure:
        await service.rendered({"app/a.jsonnet": code})
    assert failure.value.reason == "JsonnetFailed"


async def test_endless_code_ends(service: Service) -> None:
    with pytest.raises(RequestError) as failure:
        await service.rendered({"app/a.jsonnet": "local f(n) = f(n + 1) tailstrict; f(0)"})
    assert failure.value.reason in ("RenderTimeout", "JsonnetFailed")
