"""How commits look: the settings, and `git.*` of the ConfigMap argocd-image-updater-config before them."""

from collections.abc import Mapping
from pathlib import Path

from services.image_updater.messages import CommitStyle
from services.image_updater.settings import ImageUpdaterSettings
from shared.git.commits import Author, Sign
from shared.git.signing import signer
from shared.security import Secret
from shared.telemetry import get_logger

CONFIG_MAP = "argocd-image-updater-config"
log = get_logger()


def style_of(settings: ImageUpdaterSettings, config: Mapping[str, str]) -> CommitStyle:
    author = Author(config.get("git.user") or settings.commit_user, config.get("git.email") or settings.commit_email)
    return CommitStyle(
        author=author,
        template=config.get("git.commit-message-template") or settings.commit_template,
        sign_off=_flag(config.get("git.commit-sign-off"), default=settings.commit_sign_off),
        sign=_signer(settings, config),
    )


def _flag(text: str | None, *, default: bool) -> bool:
    return default if text is None else text.strip().lower() == "true"


def _signer(settings: ImageUpdaterSettings, config: Mapping[str, str]) -> Sign | None:
    """A key that can't be read makes every commit fail, and say so: none goes out unsigned."""
    file = config.get("git.commit-signing-key") or settings.signing_key
    if not file:
        return None
    try:
        text = Path(file).read_text()
    except (OSError, UnicodeDecodeError) as error:
        log.warning("the signing key can't be read: no commit is made", file=file, error=type(error).__name__)
        text = ""
    return signer(config.get("git.commit-signing-method") or settings.signing_method, Secret(text))
