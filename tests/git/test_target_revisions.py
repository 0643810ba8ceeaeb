"""Which commit a target revision means, and what differs between two commits."""

from collections.abc import Sequence

import pytest

from shared.git.changes import changed_paths, describe, forced
from shared.git.commits import commit_files
from shared.git.errors import RevisionNotFound
from shared.git.remote import RemoteRefs
from shared.git.revisions import Resolved, find_ref, find_version, is_range, is_sha, is_short_sha
from tests.parts.gitserver import GitHost

A, B, C = "a" * 40, "b" * 40, "c" * 40
SEEN = RemoteRefs(
    {
        "HEAD": A,
        "refs/heads/main": A,
        "refs/heads/same": B,
        "refs/tags/same": C,
        "refs/tags/v1.0.0": B,
        "refs/tags/team-1.2.0": C,
        "refs/pull/1/head": C,
    },
    "refs/heads/main",
)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("", Resolved(A, "refs/heads/main")),
        ("HEAD", Resolved(A, "refs/heads/main")),
        ("main", Resolved(A, "refs/heads/main")),
        ("refs/heads/main", Resolved(A, "refs/heads/main")),
        ("refs/pull/1/head", Resolved(C, "refs/pull/1/head")),
        ("same", Resolved(B, "refs/heads/same")),
        ("v1.0.0", Resolved(B, "refs/tags/v1.0.0")),
        ("none", None),
    ],
)
def test_names_are_looked_up_in_argos_order(target: str, expected: Resolved | None) -> None:
    assert find_ref(target, SEEN) == expected


def test_a_detached_head_is_a_ref_of_its_own() -> None:
    assert find_ref("HEAD", RemoteRefs({"HEAD": A}, "")) == Resolved(A, "HEAD")
    assert find_ref("HEAD", RemoteRefs({}, "")) is None


@pytest.mark.parametrize("target", ["1.*", ">=1.2", "~1.2.0", "^1", "1.x", "1.2.X", "*", "1.0 - 2.0", ">1 || <3"])
def test_version_ranges_are_seen(target: str) -> None:
    assert is_range(target)


@pytest.mark.parametrize("target", ["main", "v1.2.3", "1.2", "feature/x", "release-1", "refs/tags/v1", A, "fix-x-y"])
def test_names_are_no_ranges(target: str) -> None:
    assert not is_range(target)


def test_shas_are_told_from_names() -> None:
    assert is_sha(A)
    assert not is_sha("A" * 40)
    assert is_short_sha("abc1234")
    assert not is_short_sha("main")


async def test_the_prefix_of_tags_is_taken_off_before_versions_are_compared() -> None:
    asked: list[tuple[str, Sequence[str]]] = []

    async def highest(constraint: str, versions: Sequence[str]) -> str | None:
        asked.append((constraint, versions))
        return versions[-1]

    assert await find_version("1.*", "team-", SEEN, highest) == Resolved(C, "refs/tags/team-1.2.0")
    assert asked == [("1.*", ["1.2.0"])]


def test_changed_paths_name_both_sides_of_a_rename(git_host: GitHost) -> None:
    repository = git_host.repository()
    old = repository.commit({"a/x": b"1", "a/y": b"1", "b/old": b"same", "folder": b"file"})
    new = repository.commit({"a/x": b"2", "b/old": None, "b/new": b"same", "folder": None, "folder/in": b"1"})
    assert changed_paths(repository.path, old, new) == ("a/x", "b/new", "b/old", "folder", "folder/in")
    assert changed_paths(repository.path, old, old) == ()
    assert changed_paths(repository.path, old, new, cap=4) is None


def test_history_that_was_rewritten_is_forced(git_host: GitHost) -> None:
    repository = git_host.repository()
    first = repository.commit({"a": b"1"})
    second = repository.commit({"a": b"2"})
    third = repository.rewrite({"a": b"3"})
    assert not forced(repository.path, first, second)
    assert forced(repository.path, second, first)
    assert forced(repository.path, second, third)
    with pytest.raises(RevisionNotFound):
        changed_paths(repository.path, first, C)


def test_a_commit_is_described_by_its_first_line(git_host: GitHost) -> None:
    repository = git_host.repository()
    sha = commit_files(repository.path, "main", {"a": b"1"}, "Fix the thing\n\nAt length.\n")
    commit = describe(repository.path, sha)
    assert (commit.author, commit.subject) == ("Tiphys <tiphys@localhost>", "Fix the thing")
    assert commit.message == "Fix the thing\n\nAt length.\n"
