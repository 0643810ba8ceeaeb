"""What it means that a metric's provider answered, and had nothing: by an annotation of the template (or of the run),
for all of its metrics or for each by name. Without it no data is what Argo Rollouts makes of it. Pure.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from services.rollout_manager.analysis import InvalidAnalysis, Phase
from shared import yamlio

ON_NO_DATA = "tiphys.dev/on-no-data"
VERDICTS = (Phase.ERROR, Phase.INCONCLUSIVE, Phase.SUCCESSFUL, Phase.FAILED)


def read(annotations: Mapping[str, str], names: Iterable[str]) -> dict[str, Phase]:
    """The verdict of each metric that the annotation speaks of. Raises InvalidAnalysis with every problem."""
    text, known = annotations.get(ON_NO_DATA), list(names)
    if not text:
        return {}
    try:
        [found] = yamlio.load_all(text.encode(), ON_NO_DATA)
    except (yamlio.YamlError, ValueError) as error:
        raise InvalidAnalysis(f"{ON_NO_DATA}: {error}") from error
    by_name = found if isinstance(found, dict) else dict.fromkeys(known, found)
    problems = [f"{ON_NO_DATA}: there is no metric {name!r}" for name in by_name if name not in known]
    problems += dict.fromkeys(_problem(value) for value in by_name.values() if str(value) not in VERDICTS)
    if problems:
        raise InvalidAnalysis(*problems)
    return {name: Phase(str(value)) for name, value in by_name.items()}


def _problem(value: Any) -> str:
    return f"{ON_NO_DATA}: {value!r} is none of {', '.join(VERDICTS)}"


def written(verdicts: Mapping[str, Phase]) -> dict[str, str]:
    """The annotation of a run; none when nothing is said."""
    return {ON_NO_DATA: orjson.dumps(dict(sorted(verdicts.items()))).decode()} if verdicts else {}
