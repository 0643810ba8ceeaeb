"""What our models of Kubernetes objects have in common: camelCase on the wire, unknown fields kept, never changed.

In: dicts from the API server or from a manifest. Out: models, or `InvalidObject` with one precise sentence per problem.
A model gives back exactly what it was given: only fields that were set, under the names they came with.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel


class InvalidObject(ValueError):
    """An object that doesn't have the shape of its kind; `problems` says where and why."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class Wire(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        extra="allow",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        protected_namespaces=(),
    )

    @classmethod
    def parse(cls, obj: Mapping[str, Any]) -> Self:
        """Read an object. A null means that the field is not set, as it does in Go."""
        try:
            return cls.model_validate(obj, by_alias=True, by_name=False)
        except ValidationError:
            try:
                return cls.model_validate(without_nulls(obj), by_alias=True, by_name=False)
            except ValidationError as error:
                raise InvalidObject(tuple(_sentences(error))) from error

    def to_wire(self) -> dict[str, Any]:
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True)


def without_nulls(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in value if item is not None]
    return value


def dotted(path: tuple[str | int, ...]) -> str:
    """Write a path as people read it: `spec.sources[0].repoURL`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def _sentences(error: ValidationError) -> Iterator[str]:
    for problem in error.errors(include_url=False, include_input=False):
        yield f"{dotted(problem['loc']) or 'object'}: {problem['msg'][:1].lower()}{problem['msg'][1:]}"


def unknown_fields(model: BaseModel, path: tuple[str | int, ...] = ()) -> list[str]:
    """Give the dotted paths of all fields that the models don't know; they are kept, but nothing acts on them."""
    found = [dotted((*path, name)) for name in model.model_extra or ()]
    for name, field in type(model).model_fields.items():
        found += _unknown_inside(getattr(model, name), (*path, field.alias or name))
    return found


def _unknown_inside(value: Any, path: tuple[str | int, ...]) -> list[str]:
    if isinstance(value, BaseModel):
        return unknown_fields(value, path)
    if isinstance(value, tuple):
        return [field for position, item in enumerate(value) for field in _unknown_inside(item, (*path, position))]
    return []
