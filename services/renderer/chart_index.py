"""The `index.yaml` of a Helm chart repository: which versions of one chart there are and where their archives lie.

Pure. An index may be tens of megabytes, so only the entries of the chart that is asked for are parsed: they are cut
out by indentation when the file has the layout that Helm writes, else the whole file is read.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from services.renderer.failures import Reason, RenderFailure
from shared.yamlio import YamlError, load_all

_ENTRIES = re.compile(rb"^entries:[ \t]*\r?$", re.MULTILINE)


class ChartVersion(NamedTuple):
    """One published version; `digest` is the archive's SHA-256 in hexadecimal, or "" when the index doesn't say."""

    version: str
    urls: tuple[str, ...]
    digest: str = ""


def versions_of(index: bytes, chart: str, where: str) -> list[ChartVersion]:
    """Every version of a chart, as listed; `ChartNotFound` when the repository doesn't have the chart."""
    entries = _entries(index, chart, where)
    if not isinstance(entries, list) or not entries:
        raise RenderFailure(
            Reason.CHART_NOT_FOUND, f"{where} has no chart {chart!r}: check the name and the repository"
        )
    return [version for entry in entries if isinstance(entry, Mapping) if (version := _version(entry)) is not None]


def _version(entry: Mapping[str, Any]) -> ChartVersion | None:
    version, urls = entry.get("version"), entry.get("urls")
    if version is None or not isinstance(urls, list) or entry.get("removed") is True:
        return None
    digest = str(entry.get("digest") or "").removeprefix("sha256:").lower()
    return ChartVersion(str(version), tuple(str(url) for url in urls), digest if len(digest) == 64 else "")


def _entries(index: bytes, chart: str, where: str) -> Any:
    if index.lstrip().startswith(b"{"):
        return _mapping(_json(index, where), where).get(chart)
    section = cut_out(index, chart)
    if section is not None:
        try:
            return load_all(section, where)[0].get(chart)
        except (YamlError, IndexError, AttributeError):
            pass  # an unusual layout: the whole file says what it means
    try:
        documents = load_all(index, where)
    except YamlError as error:
        raise RenderFailure(Reason.CHART_NOT_FOUND, f"the index of {where} can't be read: {error}") from error
    return _mapping(documents[0] if documents else None, where).get(chart)


def cut_out(index: bytes, chart: str) -> bytes | None:
    """The lines of one chart in `entries:`; None when the layout is another."""
    start = _ENTRIES.search(index)
    if start is None:
        return None
    name = re.escape(chart.encode())
    header = re.compile(rb"^([ ]+)[\"']?" + name + rb"[\"']?:[ \t]*\r?\n", re.MULTILINE).search(index, start.end())
    if header is None:
        return None
    indent = header[1]
    ends = re.compile(rb"^(?=[ ]{0,%d}[^\s#-])" % len(indent), re.MULTILINE).search(index, header.end())
    lines = index[header.start() : ends.start() if ends else len(index)]
    return lines if _is_first_level(index, start.end(), indent) else None


def _is_first_level(index: bytes, start: int, indent: bytes) -> bool:
    first = re.compile(rb"^([ ]+)[^\s#]", re.MULTILINE).search(index, start)
    return first is not None and first[1] == indent


def _json(index: bytes, where: str) -> Any:
    try:
        return orjson.loads(index)
    except orjson.JSONDecodeError as error:
        raise RenderFailure(Reason.CHART_NOT_FOUND, f"the index of {where} can't be read: {error.msg}") from error


def _mapping(document: Any, where: str) -> Mapping[str, Any]:
    entries = document.get("entries") if isinstance(document, Mapping) else None
    if not isinstance(entries, Mapping):
        raise RenderFailure(Reason.CHART_NOT_FOUND, f"{where} answers with no chart index: is it a Helm repository?")
    return entries
