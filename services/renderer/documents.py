"""From a file's bytes or a tool's output to Kubernetes objects, each as canonical JSON (sorted keys, UTF-8).

The rules are Argo CD's: a `.json` file holds one object; a YAML file that holds no object at all and doesn't look
like a manifest is left out (and said so); one with a broken object is an error. Lists become their items.
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import orjson

from services.renderer.failures import Reason, RenderFailure
from shared.yamlio import YamlError, load_all

Obj = dict[str, Any]

SKIP_MARKER = b"+argocd:skip-file-rendering"
_LOOKS_LIKE_A_MANIFEST = (b"apiVersion:", b"kind:", b"metadata:")


class Parsed(NamedTuple):
    """A file's objects; `skipped` says why it has none, when a person may wonder."""

    objects: tuple[bytes, ...] = ()
    skipped: str = ""


def parse_file(data: bytes, name: str) -> Parsed:
    """One manifest file."""
    if SKIP_MARKER in data:
        return Parsed()
    text = as_utf8(data, name)
    if name.endswith(".json"):
        parse_json(text, name)  # YAML is more than JSON: a file that is called .json must be JSON
        return Parsed(tuple(canonical(parse_output(text, name), name)))
    try:
        objects = load_all(text, name)
        broken = next((at for at, each in enumerate(objects) if not _has_kind(each)), None)
        if broken is None:
            return Parsed(tuple(canonical(objects, name)))
        problem = RenderFailure(
            Reason.INVALID_MANIFEST, f"{name}: document {broken + 1} is no Kubernetes object: it has no kind"
        )
    except YamlError as error:
        problem = _invalid_yaml(error)
        broken = 0
    if broken > 0 or all(sign in text for sign in _LOOKS_LIKE_A_MANIFEST):
        raise problem
    return Parsed(skipped=f"{name} is left out: it holds no Kubernetes objects")


def parse_output(data: bytes, what: str) -> list[Obj]:
    """A tool's YAML; everything in it must be an object."""
    try:
        return load_all(data, what)
    except YamlError as error:
        raise _invalid_yaml(error) from error


def parse_json(data: bytes, name: str) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        message = (
            f"{name}, line {error.lineno}, column {error.colno}: {error.msg} (a .json file holds exactly one object)"
        )
        raise RenderFailure(Reason.INVALID_YAML, message) from error


def canonical(objects: Iterable[Any], where: str) -> Iterator[bytes]:
    """Each object, lists flattened, checked to be one that can be applied."""
    for position, obj in enumerate(flattened(objects, where)):
        problem = _problem(obj)
        if problem:
            message = f"{where}: object {position + 1}{_named(obj)} {problem}"
            raise RenderFailure(Reason.INVALID_MANIFEST, message)
        try:
            yield orjson.dumps(obj, option=orjson.OPT_SORT_KEYS)
        except (TypeError, ValueError) as error:
            message = f"{where}: object {position + 1}{_named(obj)} can't be written as JSON: {error}"
            raise RenderFailure(Reason.INVALID_MANIFEST, message) from error


def flattened(objects: Iterable[Any], where: str) -> Iterator[Obj]:
    """Lists replaced by their items; an item of a typed list (`ConfigMapList`) needs no kind of its own."""
    for obj in objects:
        if not isinstance(obj, dict):
            raise RenderFailure(
                Reason.INVALID_MANIFEST, f"{where}: a document is a {_kind_of_value(obj)}, not an object"
            )
        items = obj.get("items")
        if isinstance(items, list):
            yield from flattened((_typed(item, obj) for item in items), where)
        elif not _is_null_list(obj):
            yield obj


def as_utf8(data: bytes, name: str) -> bytes:
    """Files from Windows editors start with a byte order mark and may be UTF-16."""
    try:
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            return data.decode("utf-16").encode()
    except UnicodeDecodeError as error:
        raise RenderFailure(Reason.INVALID_YAML, f"{name} is not valid UTF-16: save it as UTF-8") from error
    return data.removeprefix(b"\xef\xbb\xbf")


def _has_kind(document: Any) -> bool:
    return isinstance(document, dict) and isinstance(document.get("kind"), str) and bool(document["kind"])


def _problem(obj: Obj) -> str:
    metadata = obj.get("metadata")
    if not _has_kind(obj):
        return "has no kind"
    if not isinstance(obj.get("apiVersion"), str) or not obj["apiVersion"]:
        return "has no apiVersion"
    if not isinstance(metadata, dict) or not (metadata.get("name") or metadata.get("generateName")):
        return "has no metadata.name"
    name = metadata.get("name") or metadata["generateName"]
    return "" if isinstance(name, str) else "has a metadata.name that is not text: put it in quotes"


def _named(obj: Obj) -> str:
    metadata = obj.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    described = " ".join(str(part) for part in (obj.get("kind"), name) if part)
    return f" ({described[:100]})" if described else ""


def _typed(item: Any, owner: Obj) -> Any:
    kind = owner.get("kind")
    if not isinstance(item, dict) or item.get("kind") or not isinstance(kind, str) or kind in ("List", ""):
        return item
    return {"apiVersion": owner.get("apiVersion"), "kind": kind.removesuffix("List"), **item}


def _is_null_list(obj: Obj) -> bool:
    return "items" in obj and obj["items"] is None and "spec" not in obj and "status" not in obj


def _kind_of_value(value: Any) -> str:
    names = {str: "text", list: "list", bool: "boolean", int: "number", float: "number", type(None): "null"}
    return names.get(type(value), "value")


def _invalid_yaml(error: YamlError) -> RenderFailure:
    return RenderFailure(Reason.INVALID_YAML, str(error))
