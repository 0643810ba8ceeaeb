"""The image updater's settings: `TIPHYS_IMAGE_UPDATER_*`."""

from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings

from shared.run import prefixed


class ImageUpdaterSettings(BaseSettings):
    """What an operator may turn. `git.*` of the ConfigMap argocd-image-updater-config goes before the commit's."""

    model_config = prefixed("image_updater")

    annotations_alone: bool = Field(
        default=True,
        description="Honour the image-list annotation of Applications that no ImageUpdater matches, as Argo CD Image "
        "Updater did before 1.0; off: only where an ImageUpdater says useAnnotations",
    )
    workers: int = Field(default=64, ge=1, description="Applications worked on at the same time")
    window_seconds: float = Field(
        default=0.3, ge=0, description="How long updates of one branch are collected for one commit"
    )
    longest_window_seconds: float = Field(
        default=3.0, ge=0, description="How long a commit waits at most for Applications that are still being looked at"
    )
    sweep_seconds: float = Field(
        default=300.0, gt=0, description="How often every image is checked although nothing was heard of it"
    )
    push_attempts: int = Field(default=6, ge=1, description="Tries to push when others move the branch meanwhile")
    git_seconds: float = Field(default=120.0, gt=0, description="Longest time of one fetch or push")
    threads: int = Field(default=4, ge=3, description="Repositories written at the same time")
    commit_user: str = Field(default="argocd-image-updater", description="Author of the commits")
    commit_email: str = Field(default="noreply@argoproj.io", description="E-mail address of the author")
    commit_template: str = Field(
        default="", description="Go template of the commit message; empty: Image Updater's own"
    )
    commit_sign_off: bool = Field(default=False, description="Add a Signed-off-by line")
    signing_key: str = Field(default="", description="File with the private key that signs commits; empty: unsigned")
    signing_method: Literal["openpgp", "ssh"] = Field(default="openpgp", description="What kind of key that is")
    forge_seconds: float = Field(default=20.0, gt=0, description="Longest time of one request to a forge's API")
