"""Helm sources through the whole service and the real engine: every option of `spec.source.helm`."""

from collections.abc import Mapping
from typing import Any

import pytest

from shared.events import RequestError
from tests.render.service import Answer, Service
from tests.render.tools import TEMPLATE, Content, Link, chart, config_map, packed

VERSIONS = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: facts}
data:
  kube: {{ .Capabilities.KubeVersion.Version | quote }}
  special: {{ .Capabilities.APIVersions.Has "example.org/v1/Thing" | quote }}
  release: {{ .Release.Name }}
  namespace: {{ .Release.Namespace }}
  count: {{ kindOf .Values.count | quote }}
  service: {{ .Release.Service }}
  install: {{ .Release.IsInstall | quote }}
  file: {{ .Files.Get "files/note.txt" | quote }}
  value: {{ .Values.value | quote }}
  list: {{ .Values.list | toJson | quote }}
"""


def app(files: Mapping[str, Content] | None = None) -> dict[str, Content]:
    """A chart in the folder `app`."""
    return chart("app", files)


def facts(answer: Answer) -> dict[str, str]:
    found: dict[str, str] = answer.named("facts")["data"]
    return found


def text(answer: Answer) -> str:
    return str(answer.named("guestbook-config")["data"]["text"])


async def test_a_chart_renders_with_its_defaults(service: Service) -> None:
    answer = await service.rendered(app())
    assert answer.names == ["guestbook-config"]
    assert text(answer) == "default"
    assert answer.objects[0]["metadata"]["namespace"] == "web"
    assert answer.reply.sources[0].source_type == "Helm"
    assert answer.inputs == ("app/",)


async def test_values_are_layered_files_then_inline_then_parameters(service: Service) -> None:
    files = app({"a.yaml": "text: from-a\n", "b.yaml": "text: from-b\n"})
    helm: dict[str, Any] = {"valueFiles": ["a.yaml", "b.yaml"]}
    assert text(await service.rendered(files, helm=helm)) == "from-b"
    helm["values"] = "text: inline\n"
    assert text(await service.rendered(files, helm=helm)) == "inline"
    helm["valuesObject"] = {"text": "object"}
    assert text(await service.rendered(files, helm=helm)) == "object"
    helm["parameters"] = [{"name": "text", "value": "parameter"}]
    assert text(await service.rendered(files, helm=helm)) == "parameter"


async def test_parameters_are_typed_unless_forced_to_text(service: Service) -> None:
    files = app({"templates/facts.yaml": VERSIONS})
    plain = await service.rendered(files, helm={"parameters": [{"name": "count", "value": "3"}]})
    forced = await service.rendered(files, helm={"parameters": [{"name": "count", "value": "3", "forceString": True}]})
    assert (facts(plain)["count"], facts(forced)["count"]) == ("int64", "string")


async def test_parameters_take_commas_lists_and_variables(service: Service) -> None:
    parameters = [
        {"name": "value", "value": "a,b $ARGOCD_APP_NAME $$x"},
        {"name": "list", "value": "{one,two}"},
    ]
    found = facts(await service.rendered(app({"templates/facts.yaml": VERSIONS}), helm={"parameters": parameters}))
    assert found["value"] == "a,b guestbook $x"
    assert found["list"] == '["one","two"]'


async def test_file_parameters_take_a_files_text(service: Service) -> None:
    files = app({"templates/facts.yaml": VERSIONS, "files/note.txt": "in the chart"})
    files["shared/value.txt"] = "of a file, with: everything\n"
    helm = {"fileParameters": [{"name": "value", "path": "../shared/value.txt"}]}
    answer = await service.rendered(files, helm=helm)
    assert facts(answer)["value"] == "of a file, with: everything\n"
    assert facts(answer)["file"] == "in the chart"
    assert answer.inputs == ("app/", "shared/value.txt")


async def test_release_namespace_version_and_apis_are_what_the_source_says(service: Service) -> None:
    files = app({"templates/facts.yaml": VERSIONS})
    helm = {
        "releaseName": "special",
        "namespace": "elsewhere",
        "kubeVersion": "v1.28.3+k3s1",
        "apiVersions": ["example.org/v1/Thing"],
    }
    found = facts(await service.rendered(files, helm=helm))
    assert found["release"] == "special"
    assert found["namespace"] == "elsewhere"
    assert found["kube"] == "v1.28.3"
    assert found["special"] == "true"
    plain = facts(await service.rendered(files, request={"api_versions": ("v1",)}))
    assert (plain["kube"], plain["special"], plain["service"], plain["install"]) == ("v1.35.0", "false", "Helm", "true")


async def test_crds_tests_and_schemas_can_be_left_out(service: Service) -> None:
    crd = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: things.example.org}\n"
    test = config_map("check").replace("name: check", 'name: check\n  annotations: {"helm.sh/hook": test}')
    files = app(
        {
            "crds/thing.yaml": crd,
            "templates/check.yaml": test,
            "values.schema.json": '{"properties": {"text": {"type": "integer"}}}',
        }
    )
    with pytest.raises(RequestError) as failure:
        await service.rendered(files)
    assert failure.value.reason == "HelmFailed"
    helm: dict[str, Any] = {"skipSchemaValidation": True}
    assert sorted((await service.rendered(files, helm=helm)).names) == [
        "check",
        "guestbook-config",
        "things.example.org",
    ]
    helm |= {"skipCrds": True, "skipTests": True}
    assert (await service.rendered(files, helm=helm)).names == ["guestbook-config"]


async def test_missing_value_files_are_an_error_or_ignored(service: Service) -> None:
    with pytest.raises(RequestError) as failure:
        await service.rendered(app(), helm={"valueFiles": ["nothing.yaml"]})
    assert failure.value.reason == "ValueFileNotFound"
    helm = {"valueFiles": ["nothing.yaml"], "ignoreMissingValueFiles": True}
    assert text(await service.rendered(app(), helm=helm)) == "default"


async def test_values_come_from_another_source(service: Service) -> None:
    service.commit(app())
    service.commit({"prod/values.yaml": "text: referred\n"}, repo="https://example.org/values")
    sources = (
        service.source(helm={"valueFiles": ["$values/prod/values.yaml"]}),
        service.source("", repo="https://example.org/values", ref="values"),
    )
    answer = await service.render(*sources)
    assert text(answer) == "referred"
    assert answer.reply.sources[1].input_paths == ("prod/values.yaml",)
    assert [each.count for each in answer.reply.sources] == [1, 0]


async def test_the_same_repository_must_be_at_the_same_commit(service: Service) -> None:
    first = service.commit(app())
    service.commit({"values.yaml": "text: newer\n"})
    sources = (
        service.source(revision=first, helm={"valueFiles": ["$values/values.yaml"]}),
        service.source("", ref="values"),
    )
    with pytest.raises(RequestError) as failure:
        await service.render(*sources)
    assert failure.value.reason == "RefRevisionMismatch"


async def test_a_template_error_names_file_and_line(service: Service) -> None:
    with pytest.raises(RequestError, match=r"templates/config\.yaml:\d") as failure:
        await service.rendered(app({"templates/config.yaml": "a: {{ .Values.text.deeper.still }}\n"}))
    assert failure.value.reason == "HelmFailed"


async def test_a_broken_value_file_is_named_with_its_line(service: Service) -> None:
    with pytest.raises(RequestError, match=r"app/broken\.yaml: .*line 2") as failure:
        await service.rendered(
            app({"broken.yaml": "a: 1\nb: [\n"}), helm={"valueFiles": ["values.yaml", "broken.yaml"]}
        )
    assert failure.value.reason == "HelmFailed"
    with pytest.raises(RequestError, match="the values in the source"):
        await service.rendered(app(), helm={"values": "a: ["})


async def test_a_missing_required_value_is_said(service: Service) -> None:
    with pytest.raises(RequestError, match="a domain is needed"):
        await service.rendered(
            app({"templates/config.yaml": 'a: {{ required "a domain is needed" .Values.domain }}\n'})
        )


async def test_templates_get_nothing_of_the_machine(service: Service) -> None:
    template = TEMPLATE.replace(".Values.text | quote", '(env "HOME") | quote')
    with pytest.raises(RequestError, match='"env" not defined'):
        await service.rendered(app({"templates/config.yaml": template}))


@pytest.mark.parametrize(
    "helm",
    [
        {"valueFiles": ["../../../../etc/passwd"]},
        {"valueFiles": ["/../etc/passwd"]},
        {"valueFiles": ["evil.yaml"]},
        {"fileParameters": [{"name": "text", "path": "../../etc/passwd"}]},
        {"fileParameters": [{"name": "text", "path": "evil.yaml"}]},
    ],
)
async def test_no_option_reads_outside_the_repository(service: Service, helm: dict[str, Any]) -> None:
    with pytest.raises(RequestError) as failure:
        await service.rendered(app({"evil.yaml": Link("/etc/passwd")}), helm=helm)
    assert failure.value.reason == "PathEscapesRepository"
    assert "root:" not in failure.value.message


async def test_a_link_inside_a_chart_cannot_lead_out(service: Service) -> None:
    with pytest.raises(RequestError) as failure:
        await service.rendered(app({"templates/evil.yaml": Link("/etc/passwd")}))
    assert failure.value.reason == "PathEscapesRepository"


async def test_file_urls_are_refused(service: Service) -> None:
    with pytest.raises(RequestError) as failure:
        await service.rendered(app(), helm={"valueFiles": ["file:///etc/passwd"]})
    assert failure.value.reason == "SchemeNotAllowed"


async def test_overrides_in_git_change_a_source(service: Service) -> None:
    files = app({".argocd-source.yaml": "helm: {parameters: [{name: text, value: common}]}\n"})
    assert text(await service.rendered(files)) == "common"
    files["app/.argocd-source-guestbook.yaml"] = "helm: {parameters: [{name: text, value: own}]}\npath: /etc\n"
    assert text(await service.rendered(files)) == "own"
    other = await service.render(service.source(), app_name="other")
    assert other.named("other-config")["data"]["text"] == "common"


async def test_dependencies_beside_the_chart_and_vendored_are_rendered(service: Service) -> None:
    dependencies = (
        "dependencies:\n- {name: near, version: 1.0.0, repository: 'file://../near'}\n"
        "- {name: packed, version: 1.0.0, repository: 'https://nobody.example.org'}\n"
    )
    files = app({"Chart.yaml": f"apiVersion: v2\nname: app\nversion: 1.0.0\n{dependencies}"})
    files |= chart("near", {"templates/config.yaml": TEMPLATE.replace("-config", "-near")})
    files["app/charts/packed-1.0.0.tgz"] = packed(
        chart("packed", {"templates/config.yaml": TEMPLATE.replace("-config", "-packed")})
    )
    answer = await service.rendered(files, helm={"values": "near: {text: x}\n"})
    assert sorted(answer.names) == ["guestbook-config", "guestbook-near", "guestbook-packed"]
    assert answer.named("guestbook-near")["data"]["text"] == "x"
    assert answer.inputs == ("app/", "near/")
