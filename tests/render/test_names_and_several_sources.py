"""How an Application is called in what it renders, and how several git sources come together."""

from tests.render.service import Service
from tests.render.tools import TEMPLATE, chart, config_map


async def test_an_application_of_another_namespace_is_called_by_both_names(service: Service) -> None:
    template = TEMPLATE.replace(".Values.text", ".Values.name")
    files = chart("app", {"templates/config.yaml": template, ".argocd-source-team_guestbook.yaml": ""})
    files["app/.argocd-source-guestbook.yaml"] = "helm: {releaseName: not-mine}\n"
    helm = {"parameters": [{"name": "name", "value": "$ARGOCD_APP_NAME in $ARGOCD_APP_NAMESPACE"}]}
    answer = await service.rendered(files, helm=helm, request={"app_namespace": "team"})
    assert answer.names == ["guestbook-config"]
    assert answer.objects[0]["data"]["text"] == "team_guestbook in web"


async def test_repositories_are_put_in_a_row_with_their_own_inputs(service: Service) -> None:
    service.commit({"app/a.yaml": config_map("a"), "app/b.yaml": config_map("b")})
    other = "https://example.org/other"
    service.commit({"deep/app/c.yaml": config_map("c")}, repo=other)
    answer = await service.render(service.source(), service.source("deep/app", repo=other))
    assert answer.names == ["a", "b", "c"]
    assert [(each.count, each.input_paths) for each in answer.reply.sources] == [(2, ("app/",)), (1, ("deep/app/",))]


async def test_a_push_to_one_repository_leaves_the_other_sources_inputs(service: Service) -> None:
    service.commit({"app/a.yaml": config_map("a")})
    other = "https://example.org/other"
    service.commit({"app/c.yaml": config_map("c")}, repo=other)
    await service.render(service.source(), service.source(repo=other))
    service.commit({"app/c.yaml": config_map("d")}, repo=other)
    assert (await service.render(service.source(), service.source(repo=other))).names == ["a", "d"]
    assert service.renderer.made == 2


async def test_the_same_object_in_two_sources_stays_in_place_for_the_reconciler(service: Service) -> None:
    service.commit({"one/a.yaml": config_map("same", text="1"), "two/a.yaml": config_map("same", text="2")})
    answer = await service.render(service.source("one"), service.source("two"))
    assert [each["data"]["text"] for each in answer.objects] == ["1", "2"]


async def test_a_source_without_options_for_its_tool_uses_defaults(service: Service) -> None:
    answer = await service.rendered({"app/a.yaml": config_map("a")}, directory={})
    assert answer.names == ["a"]


async def test_an_empty_folder_of_manifests_renders_nothing(service: Service) -> None:
    answer = await service.rendered({"app/readme.md": "nothing here"})
    assert (answer.objects, answer.reply.count) == ([], 0)


async def test_switched_off_tools_leave_plain_files(service: Service) -> None:
    files = {"app/kustomization.yaml": "resources: []\n", "app/a.yaml": config_map("a")}
    answer = await service.rendered(
        files, directory={"exclude": "kustomization.yaml"}, request={"settings": {"kustomize.enable": "false"}}
    )
    assert answer.names == ["a"]
