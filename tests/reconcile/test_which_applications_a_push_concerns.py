"""A push concerns the Applications that read a changed path, and nobody else; the index answers without walking all of
them.
"""

from hypothesis import given
from hypothesis import strategies as st

from services.reconciler.index import Branch, InputIndex, Reads, ancestors
from services.reconciler.keys import AppKey

MAIN = Branch("example.com/repo", "refs/heads/main")
SEGMENTS = st.lists(st.sampled_from("abc"), min_size=1, max_size=4)


def key(name: str) -> AppKey:
    return AppKey("argocd", name)


def test_a_changed_file_concerns_readers_of_its_folder_and_of_itself() -> None:
    index = InputIndex()
    index.put(key("folder"), [Reads(MAIN, ("apps/a/",))])
    index.put(key("file"), [Reads(MAIN, ("apps/b/", "common/values.yaml"))])
    assert index.affected(MAIN, ["apps/a/deep/cm.yaml"]) == {key("folder")}
    assert index.affected(MAIN, ["common/values.yaml"]) == {key("file")}
    assert index.affected(MAIN, ["apps/ab/cm.yaml", "README.md"]) == set()


def test_unknown_changes_concern_every_reader_of_the_branch_only() -> None:
    index = InputIndex()
    other = Branch("example.com/repo", "refs/heads/dev")
    index.put(key("main"), [Reads(MAIN, ("a/",))])
    index.put(key("dev"), [Reads(other, ("a/",))])
    assert index.affected(MAIN, None) == {key("main")}


def test_an_application_that_never_rendered_cares_about_everything() -> None:
    index = InputIndex()
    index.put(key("new"), [Reads(MAIN, None)])
    assert index.affected(MAIN, ["anything"]) == {key("new")}


def test_the_root_folder_is_everybodys_ancestor() -> None:
    index = InputIndex()
    index.put(key("root"), [Reads(MAIN, ("./",))])
    assert index.affected(MAIN, ["a/b/c"]) == {key("root")}


def test_a_new_render_replaces_what_was_read_and_dropping_forgets_it() -> None:
    index = InputIndex()
    index.put(key("app"), [Reads(MAIN, ("old/",))])
    index.put(key("app"), [Reads(MAIN, ("new/",))])
    assert index.affected(MAIN, ["old/x"]) == set()
    assert index.affected(MAIN, ["new/x"]) == {key("app")}
    index.drop(key("app"))
    assert index.affected(MAIN, None) == set()
    assert index.branches() == []


@given(st.lists(SEGMENTS, min_size=1, max_size=8), SEGMENTS)
def test_the_index_answers_as_a_walk_over_all_applications_would(folders: list[list[str]], changed: list[str]) -> None:
    index = InputIndex()
    path = "/".join(changed) + "/file"
    for position, folder in enumerate(folders):
        index.put(key(str(position)), [Reads(MAIN, ("/".join(folder) + "/",))])
    expected = {
        key(str(position)) for position, folder in enumerate(folders) if path.startswith("/".join(folder) + "/")
    }
    assert index.affected(MAIN, [path]) == expected


@given(SEGMENTS)
def test_ancestors_are_the_path_its_folders_and_the_root(parts: list[str]) -> None:
    found = list(ancestors("/".join(parts)))
    assert found[0] == "/".join(parts)
    assert found[-1] == ""
    assert len(found) == len(parts) + 1
