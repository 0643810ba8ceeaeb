"""`{{args.name}}` in a metric: replaced by the values of the run's arguments, which may be secret. Pure.

A value is put in as text of the JSON that the metric is, so no value can change the metric's shape, and what a value
itself says in braces stays text.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from services.rollout_manager.analysis import InvalidAnalysis

PLACE = re.compile(r"\{\{\s*args\.([^{}\s]+?)\s*\}\}")

ANY = re.compile(r"\{\{\s*([^{}\s]+?)\s*\}\}")


def filled(value: Any, args: Mapping[str, str]) -> Any:
    """The value with every place filled. Raises InvalidAnalysis with all names that nobody gave."""
    text = json.dumps(value, ensure_ascii=False)
    unknown = sorted({name for name in PLACE.findall(text) if name not in args})
    if unknown:
        raise InvalidAnalysis(*(f"args.{name} was not resolved" for name in unknown))
    return json.loads(PLACE.sub(lambda match: json.dumps(args[match[1]], ensure_ascii=False)[1:-1], text))


def fill_places(text: str, places: Mapping[str, str]) -> tuple[str, list[str]]:
    """`{{templates.x.podTemplateHash}}` and the like in an argument of an Experiment; and those that nobody knows.

    Arguments of a metric (`{{args.x}}`) are left for later.
    """
    names = {name for name in ANY.findall(text) if not name.startswith("args.")}
    unknown = sorted(name for name in names if name not in places)
    return ANY.sub(lambda match: places.get(match[1], match[0]), text), unknown


def redacted(text: str, secrets: list[str]) -> str:
    """A text without the values of secrets, the longest first; nor as JSON writes them."""
    written = {
        form for one in secrets for form in (one, json.dumps(one)[1:-1], json.dumps(one, ensure_ascii=False)[1:-1])
    }
    for secret in sorted(written - {""}, key=len, reverse=True):
        text = text.replace(secret, "*****")
    return text
