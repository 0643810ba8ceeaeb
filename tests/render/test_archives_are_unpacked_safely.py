"""Archives from charts and registries: what is in them, and what hostile ones do not get."""

import gzip
import io
import tarfile

import pytest

from services.renderer.archives import ArchiveLimits, unpack
from services.renderer.failures import Reason, RenderFailure
from tests.render.tools import Link, packed

LIMITS = ArchiveLimits(unpacked=1_000_000, entries=100)


def test_files_come_out_with_their_paths() -> None:
    data = packed({"web/Chart.yaml": "name: web", "./web/templates/a.yaml": "x"})
    assert unpack(data, "web", LIMITS) == {"web/Chart.yaml": b"name: web", "web/templates/a.yaml": b"x"}


def test_an_archive_may_be_plain_tar() -> None:
    assert unpack(gzip.decompress(packed({"a": "1"})), "a", LIMITS) == {"a": b"1"}


def test_a_link_inside_is_followed() -> None:
    data = packed({"web/a.yaml": "text", "web/b.yaml": Link("a.yaml"), "web/c/d.yaml": Link("../b.yaml")})
    assert unpack(data, "web", LIMITS)["web/c/d.yaml"] == b"text"


def test_links_in_a_circle_are_no_files() -> None:
    assert unpack(packed({"a": Link("b"), "b": Link("a")}), "x", LIMITS) == {}


@pytest.mark.parametrize(
    "files",
    [
        {"/etc/passwd": "x"},
        {"../x": "x"},
        {"web/../../x": "x"},
        {"web/passwd": Link("/etc/passwd")},
        {"web/up": Link("../../other")},
        {"web\\..\\x": "x"},
    ],
)
def test_paths_and_links_that_lead_out_are_refused(files: dict[str, str]) -> None:
    with pytest.raises(RenderFailure) as failure:
        unpack(packed(files), "web", LIMITS)
    assert failure.value.reason is Reason.PATH_ESCAPES_REPOSITORY


def test_a_bomb_is_stopped_while_it_swells() -> None:
    bomb = packed({"web/zeros": b"\0" * 50_000_000})
    assert len(bomb) < 100_000
    with pytest.raises(RenderFailure, match="more than 1,000,000 bytes"):
        unpack(bomb, "web", LIMITS)


def test_too_many_entries_are_refused() -> None:
    with pytest.raises(RenderFailure, match="more than 100 entries"):
        unpack(packed({f"web/{number}": "" for number in range(200)}), "web", LIMITS)


def test_a_device_is_refused() -> None:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        info = tarfile.TarInfo("web/null")
        info.type = tarfile.CHRTYPE
        archive.addfile(info)
    with pytest.raises(RenderFailure, match="neither a file nor a folder"):
        unpack(target.getvalue(), "web", LIMITS)


@pytest.mark.parametrize("data", [b"", b"not a tar", b"\x1f\x8bbroken", packed({"a": "x" * 9000})[:60]])
def test_what_is_no_archive_is_said_to_be_none(data: bytes) -> None:
    with pytest.raises(RenderFailure) as failure:
        unpack(data, "web", LIMITS)
    assert failure.value.reason is Reason.CHART_INVALID
