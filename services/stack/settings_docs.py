"""`python -m services.stack.settings_docs`: docs/settings.md, written from the settings classes themselves."""

import importlib
import sys
from pathlib import Path

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

from services.stack.registry import SERVICES
from shared.run import Common

TARGET = Path(__file__).parents[2] / "docs" / "settings.md"
_HEAD = """# Settings

Environment variables, or files of the same names in the folder that `TIPHYS_SETTINGS_DIR` names. The command line goes
first. This page is generated from the code (`make generate`).
"""


def page() -> str:
    sections: list[tuple[str, type[BaseSettings]]] = [("Every process", Common)]
    sections += [(service, _settings(service)) for service in SERVICES]
    return "\n".join([_HEAD, *(_section(title, model) for title, model in sections)])


def _settings(service: str) -> type[BaseSettings]:
    module = importlib.import_module(f"services.{service}.settings")
    own = [one for one in vars(module).values() if isinstance(one, type) and issubclass(one, BaseSettings)]
    return next(one for one in own if one.__module__ == module.__name__)


def _section(title: str, model: type[BaseSettings]) -> str:
    prefix = str(model.model_config.get("env_prefix", ""))
    rows = [_row(prefix, name, field) for name, field in model.model_fields.items()]
    return "\n".join([f"## {title}", "", "| variable | default | meaning |", "|---|---|---|", *rows, ""])


def _row(prefix: str, name: str, field: FieldInfo) -> str:
    value = field.default.get_secret_value() if isinstance(field.default, SecretStr) else field.default
    default = "required" if value is PydanticUndefined else "" if value is None else str(value)
    meaning = (field.description or "").replace("|", "\\|")
    return f"| `{(prefix + name).upper()}` | {f'`{default}`' if default else ''} | {meaning} |"


def main() -> int:
    TARGET.write_text(page())
    return 0


if __name__ == "__main__":
    sys.exit(main())
