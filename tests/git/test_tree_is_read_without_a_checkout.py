"""Files, folders and links of one revision, read from a bare repository. Submodules appear as empty folders."""

from pathlib import Path

import pygit2
import pytest
from pygit2.enums import FileMode

from shared.git.commits import commit_files, create_bare
from shared.git.errors import FileTooLarge, PathEscape, RevisionNotFound, TreeTooLarge
from shared.git.tree import GitTree
from tests.parts.gitserver import SIGNATURE, GitHost

LINK, BLOB = FileMode.LINK, FileMode.BLOB


@pytest.fixture
def linked(git_host: GitHost) -> GitTree:
    repository = git_host.repository()
    sha = repository.commit_modes(
        {
            "base/values.yaml": (BLOB, b"replicas: 1\n"),
            "base/deep/x.yaml": (BLOB, b"x: 1\n"),
            "apps/one/values.yaml": (LINK, b"../../base/values.yaml"),
            "apps/base": (LINK, b"../base"),
            "absolute": (LINK, b"/etc/passwd"),
            "outside": (LINK, b"apps/../../../etc/passwd"),
            "circle": (LINK, b"circle"),
            "long": (LINK, b"a" * 5000),
            "broken": (LINK, b"nowhere"),
        }
    )
    return GitTree(repository.path, sha)


def test_a_file_is_read_and_a_missing_one_is_none(linked: GitTree) -> None:
    assert linked.read("base/values.yaml") == b"replicas: 1\n"
    assert linked.read("base/none.yaml") is None
    assert linked.read("base") is None
    assert linked.read("base/values.yaml/x") is None


def test_a_link_is_followed_inside_the_tree(linked: GitTree) -> None:
    assert linked.read("apps/one/values.yaml") == b"replicas: 1\n"
    assert linked.read("apps/base/deep/x.yaml") == b"x: 1\n"
    assert linked.read("apps/base/../base/values.yaml") == b"replicas: 1\n"
    assert linked.read("broken") is None


def test_every_path_that_decides_is_named(linked: GitTree) -> None:
    assert linked.paths_of("apps/base/deep/x.yaml") == ("apps/base", "base/deep/x.yaml")
    assert linked.paths_of("apps/base/none/x") == ("apps/base", "base/none/x")
    assert linked.paths_of("base/values.yaml") == ("base/values.yaml",)


@pytest.mark.parametrize(
    "path", ["absolute", "outside", "circle", "long", "../etc/passwd", "/etc/passwd", "base/../../x", ".."]
)
def test_nothing_outside_the_tree_is_read(linked: GitTree, path: str) -> None:
    with pytest.raises(PathEscape):
        linked.read(path)


def test_a_folder_with_an_escaping_link_can_be_listed(linked: GitTree) -> None:
    listed = linked.list("")
    assert listed is not None
    assert [entry.name for entry in listed if entry.is_link and not entry.is_dir] == [
        "absolute",
        "broken",
        "circle",
        "long",
        "outside",
    ]
    below = linked.list("apps")
    assert below is not None
    assert [(entry.name, entry.is_dir, entry.is_link) for entry in below] == [
        ("base", True, True),
        ("one", True, False),
    ]
    assert linked.list("base/values.yaml") is None


def test_walking_gives_files_in_the_order_of_a_file_system(git_host: GitHost) -> None:
    repository = git_host.repository()
    sha = repository.commit({"a/x": b"1", "a.yaml": b"2", "a/b/c": b"3", "z": b"4"})
    tree = GitTree(repository.path, sha)
    assert list(tree.walk()) == ["a/b/c", "a/x", "a.yaml", "z"]
    assert list(tree.walk("a")) == ["a/b/c", "a/x"]
    assert list(tree.walk("none")) == []


def test_a_large_file_is_refused_before_it_is_loaded(tmp_path: Path) -> None:
    create_bare(tmp_path / "r.git")
    sha = commit_files(tmp_path / "r.git", "main", {"big": bytes(60 * 1024 * 1024), "small": b"1"}, "big")
    tree = GitTree(tmp_path / "r.git", sha)
    with pytest.raises(FileTooLarge, match="62,914,560 bytes"):
        tree.read("big")
    assert tree.size("big") == 60 * 1024 * 1024
    assert len(tree.read("big", limit=64 * 1024 * 1024) or b"") == 60 * 1024 * 1024


def test_a_tree_bomb_ends_at_the_limit(tmp_path: Path) -> None:
    create_bare(tmp_path / "r.git")
    bare = pygit2.Repository(str(tmp_path / "r.git"))
    node, mode = bare.create_blob(b"boom"), FileMode.BLOB
    for _ in range(10):
        builder = bare.TreeBuilder()
        for number in range(10):
            builder.insert(f"f{number}", node, mode)
        node, mode = builder.write(), FileMode.TREE
    sha = bare.create_commit(None, SIGNATURE, SIGNATURE, "bomb", node, [])
    with pytest.raises(TreeTooLarge):
        list(GitTree(tmp_path / "r.git", str(sha)).walk(limit=5000))


def test_equal_folders_have_equal_digests(git_host: GitHost) -> None:
    repository = git_host.repository()
    first = repository.commit({"a/x": b"1", "b/x": b"1"})
    second = repository.commit({"c": b"2"})
    one, two = GitTree(repository.path, first), GitTree(repository.path, second)
    assert one.tree_digest("a") == one.tree_digest("b") == two.tree_digest("a")
    assert one.tree_digest("") != two.tree_digest("")
    assert one.tree_digest("none") is None


def test_an_unknown_revision_says_so(git_host: GitHost) -> None:
    repository = git_host.repository()
    repository.commit({"a": b"1"})
    with pytest.raises(RevisionNotFound):
        GitTree(repository.path, "0" * 39 + "1")
