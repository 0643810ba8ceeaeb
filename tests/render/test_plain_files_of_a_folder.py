"""Directory sources over real commits: which files count, what they hold, what is refused."""

from collections.abc import Mapping
from pathlib import Path

import orjson
import pytest

from services.renderer.directory import Limits, ParsedFiles, manifests
from services.renderer.failures import Reason, RenderFailure
from services.renderer.files import Recording, input_paths
from shared.git.tree import GitTree
from shared.kinds.source import DirectoryOptions
from tests.render.tools import Content, Link, Mirror, config_map

URL = "https://example.org/repo.git"
MIB = 1024 * 1024


def _render(
    folder: Path, files: Mapping[str, Content], path: str = "app", *, limit: int = 10 * MIB, **options: object
) -> tuple[list[str], list[str], Recording]:
    mirror = Mirror(folder, URL)
    tree = Recording(GitTree(mirror.path, mirror.commit(files)))
    wanted = DirectoryOptions.parse(options)
    found, warnings = manifests(tree, path, wanted, Limits(limit), ParsedFiles(MIB))
    objects = [orjson.loads(each) for one in found if one.parsed for each in one.parsed.objects]
    return [each["metadata"]["name"] for each in objects], warnings, tree


def test_manifests_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    files = {
        "app/b.yml": config_map("b"),
        "app/a.yaml": config_map("a1") + "---\n" + config_map("a2"),
        "app/c.json": '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}',
        "app/readme.md": "kind: Nothing",
        "app/deeper/d.yaml": config_map("d"),
        "other/x.yaml": config_map("x"),
    }
    assert _render(tmp_path, files)[0] == ["a1", "a2", "b", "c"]


def test_recurse_goes_into_folders_in_place(tmp_path: Path) -> None:
    files = {"app/a/z.yaml": config_map("z"), "app/a.yaml": config_map("a"), "app/b/c/d.yaml": config_map("d")}
    assert _render(tmp_path, files, recurse=True)[0] == ["z", "a", "d"]


def test_include_and_exclude_choose_files(tmp_path: Path) -> None:
    files = {f"app/{name}.yaml": config_map(name) for name in ("one", "two", "three")}
    files["app/deep/four.yaml"] = config_map("four")
    assert _render(tmp_path, files, include="{one,two}.yaml")[0] == ["one", "two"]
    assert _render(tmp_path, files, recurse=True, include="*four.yaml")[0] == ["four"]
    assert _render(tmp_path, files, recurse=True, exclude="{t*,deep/**}")[0] == ["one"]


def test_lists_are_replaced_by_their_items(tmp_path: Path) -> None:
    item = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "in-list"}}
    typed = {"apiVersion": "v1", "kind": "ConfigMapList", "items": [{"metadata": {"name": "in-typed-list"}}]}
    files: dict[str, Content] = {
        "app/a.json": orjson.dumps({"apiVersion": "v1", "kind": "List", "items": [item]}),
        "app/b.json": orjson.dumps(typed),
        "app/c.yaml": "apiVersion: v1\nkind: ConfigMapList\nitems: null\n",
    }
    assert _render(tmp_path, files)[0] == ["in-list", "in-typed-list"]


def test_a_file_with_the_marker_is_skipped(tmp_path: Path) -> None:
    files = {"app/a.yaml": "# +argocd:skip-file-rendering\n" + config_map("a"), "app/b.yaml": config_map("b")}
    assert _render(tmp_path, files)[0] == ["b"]


def test_yaml_that_is_no_manifest_is_left_out_and_said(tmp_path: Path) -> None:
    files = {"app/values.yaml": "replicas: 3\n", "app/b.yaml": config_map("b"), "app/empty.yaml": "---\n---\n"}
    names, warnings, _ = _render(tmp_path, files)
    assert names == ["b"]
    assert warnings == ["app/values.yaml is left out: it holds no Kubernetes objects"]


def test_a_file_from_a_windows_editor_is_read(tmp_path: Path) -> None:
    files: dict[str, Content] = {
        "app/a.yaml": b"\xef\xbb\xbf" + config_map("bom").encode(),
        "app/b.yaml": config_map("wide").encode("utf-16"),
    }
    assert _render(tmp_path, files)[0] == ["bom", "wide"]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.yaml", config_map("a") + "---\nspec: 1\n", "document 2 is no Kubernetes object"),
        ("a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: [\n", "app/a.yaml, line"),
        ("a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n\tname: a\n", "line 4, column"),
        ("a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n", "has no metadata.name"),
        ("a.yaml", "kind: ConfigMap\nmetadata: {name: a}\n", "has no apiVersion"),
        ("a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: 5}\n", "put it in quotes"),
        ("a.yaml", "apiVersion: v1\nkind: X\nmetadata: {name: a}\nkind: Y\n", "given twice"),
        ("a.json", "{]", "line 1, column"),
        ("a.json", "{}{}", "exactly one object"),
        ("a.json", "[]", "is a list, not an object"),
    ],
)
def test_a_broken_manifest_is_an_error_that_says_where(tmp_path: Path, name: str, text: str, said: str) -> None:
    with pytest.raises(RenderFailure, match=said) as failure:
        _render(tmp_path, {f"app/{name}": text})
    assert failure.value.reason in (Reason.INVALID_YAML, Reason.INVALID_MANIFEST)


def test_a_large_file_is_refused_before_it_is_loaded(tmp_path: Path) -> None:
    with pytest.raises(RenderFailure, match="62,914,560 bytes") as failure:
        _render(tmp_path, {"app/huge.yaml": b"#" * (60 * MIB)})
    assert failure.value.reason is Reason.FILE_TOO_LARGE


def test_many_files_together_are_limited(tmp_path: Path) -> None:
    files: dict[str, Content] = {f"app/{number}.yaml": config_map(f"n{number}") for number in range(10)}
    with pytest.raises(RenderFailure, match="larger than 300 bytes together") as failure:
        _render(tmp_path, files, limit=300)
    assert failure.value.reason is Reason.MANIFESTS_TOO_LARGE


def test_billion_laughs_are_refused_quickly(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n" + "\n".join(lines)
    with pytest.raises(RenderFailure, match="aliases"):
        _render(tmp_path, {"app/a.yaml": text})


def test_a_link_inside_the_repository_is_followed_and_recorded(tmp_path: Path) -> None:
    files = {"app/a.yaml": Link("../shared/a.yaml"), "shared/a.yaml": config_map("shared")}
    names, _, tree = _render(tmp_path, files)
    assert names == ["shared"]
    assert input_paths("app", tree.touched) == ("app/", "shared/a.yaml")


def test_a_broken_link_is_left_out_and_said(tmp_path: Path) -> None:
    names, warnings, _ = _render(tmp_path, {"app/a.yaml": Link("nowhere.yaml"), "app/b.yaml": config_map("b")})
    assert names == ["b"]
    assert warnings == ["app/a.yaml is left out: it is a link that leads to no file"]


@pytest.mark.parametrize("target", ["/etc/passwd", "../../../etc/passwd", "a.yaml"])
def test_a_link_that_leads_out_is_refused(tmp_path: Path, target: str) -> None:
    with pytest.raises(RenderFailure) as failure:
        _render(tmp_path, {"app/a.yaml": Link(target)})
    assert failure.value.reason is Reason.PATH_ESCAPES_REPOSITORY
    assert "root:" not in failure.value.message


def test_a_folder_behind_a_link_is_not_entered(tmp_path: Path) -> None:
    files = {"app/a.yaml": config_map("a"), "app/loop": Link("."), "app/other": Link("../other")}
    files["other/x.yaml"] = config_map("x")
    assert _render(tmp_path, files, recurse=True)[0] == ["a"]


def test_the_root_may_be_the_application(tmp_path: Path) -> None:
    names, _, tree = _render(tmp_path, {"a.yaml": config_map("a")}, path="")
    assert names == ["a"]
    assert input_paths("", tree.touched) == ("./",)
