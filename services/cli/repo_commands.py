"""`tiphys repo ...` and `tiphys repocreds ...`: names, options and help; services/cli/repository does the work."""

# ruff: noqa: PLR0917 - typer hands options over by name

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from services.cli.command import command
from services.cli.errors import Exit
from services.cli.options import Where

group = typer.Typer(help="Repositories: add, get, list, rm.", no_args_is_help=True)
credentials = typer.Typer(help="Credentials for all repositories below a URL: add, list, rm.", no_args_is_help=True)


class Kind(StrEnum):
    GIT = "git"
    HELM = "helm"
    OCI = "oci"


Url = Annotated[str, typer.Argument(help="The repository's URL.", metavar="URL")]
Prefix = Annotated[str, typer.Argument(help="What the repositories' URLs begin with.", metavar="URL")]
Type = Annotated[Kind, typer.Option("--type", help="What is there.")]
Project = Annotated[str, typer.Option("--project", help="For this project only.")]
User = Annotated[str, typer.Option("--username", help="The user; the password is asked for if it is not given.")]
Password = Annotated[str, typer.Option("--password", help="Others on this machine may see it: better leave it out.")]
BearerToken = Annotated[str, typer.Option("--bearer-token", help="For hosts that take one instead of a user.")]
SshKey = Annotated[Path | None, typer.Option("--ssh-private-key-path", help="A private key.", metavar="FILE")]
Certificate = Annotated[Path | None, typer.Option("--tls-client-cert-path", help="A certificate.", metavar="FILE")]
CertificateKey = Annotated[Path | None, typer.Option("--tls-client-cert-key-path", help="Its key.", metavar="FILE")]
AppId = Annotated[str, typer.Option("--github-app-id", help="A GitHub App.")]
Installation = Annotated[str, typer.Option("--github-app-installation-id", help="Its installation.")]
AppKey = Annotated[Path | None, typer.Option("--github-app-private-key-path", help="Its key.", metavar="FILE")]
AppUrl = Annotated[str, typer.Option("--github-app-enterprise-base-url", help="GitHub Enterprise's API.")]
Proxy = Annotated[str, typer.Option("--proxy", help="A proxy for this repository.")]
NoProxy = Annotated[str, typer.Option("--no-proxy", help="Hosts that need none.")]
Basic = Annotated[bool, typer.Option("--force-http-basic-auth", help="Send the password without being asked.")]
Oci = Annotated[bool, typer.Option("--enable-oci", help="With --type helm: charts in a registry.")]
Upsert = Annotated[bool, typer.Option("--upsert", help="Replace what is known of it.")]


@command(
    group,
    "add",
    examples=(
        "tiphys repo add https://git.example.com/shop.git --username ci",
        "tiphys repo add git@git.example.com:shop.git --ssh-private-key-path ~/.ssh/id_ed25519",
        "tiphys repo add https://charts.example.com --type helm --name charts",
    ),
)
async def add(
    where: Where,
    url: Url,
    kind: Type = Kind.GIT,
    name: Annotated[str, typer.Option("--name", help="For charts: how `dependencies` may call it.")] = "",
    project: Project = "",
    username: User = "",
    password: Password = "",
    bearer_token: BearerToken = "",
    ssh_key: SshKey = None,
    certificate: Certificate = None,
    certificate_key: CertificateKey = None,
    app_id: AppId = "",
    app_installation: Installation = "",
    app_key: AppKey = None,
    app_url: AppUrl = "",
    insecure: Annotated[
        bool, typer.Option("--insecure-skip-server-verification", help="Trust any certificate or host key.")
    ] = False,
    ignore_host_key: Annotated[
        bool, typer.Option("--insecure-ignore-host-key", help="Trust any SSH host key.")
    ] = False,
    plain_http: Annotated[bool, typer.Option("--insecure-oci-force-http", help="Without TLS.")] = False,
    lfs: Annotated[bool, typer.Option("--enable-lfs", help="The repository uses Git LFS.")] = False,
    oci: Oci = False,
    depth: Annotated[int, typer.Option("--depth", min=0, help="Commits of history to fetch [default: all].")] = 0,
    proxy: Proxy = "",
    no_proxy: NoProxy = "",
    basic: Basic = False,
    upsert: Upsert = False,
) -> Exit:
    """Register a repository, and say whether it can be read."""
    from services.cli.repository import commands
    from services.cli.repository.login import given

    login = given(
        username=username, password=password, bearer_token=bearer_token, ssh_key=ssh_key, certificate=certificate,
        certificate_key=certificate_key, app_id=app_id, app_installation=app_installation, app_key=app_key,
        app_url=app_url, proxy=proxy, no_proxy=no_proxy, basic=basic,
    )  # fmt: skip
    wish = commands.Wish(
        url=url, type=kind.value, name=name, project=project, login=login, insecure=insecure,
        ignore_host_key=ignore_host_key, lfs=lfs, oci=oci, plain_http=plain_http, depth=depth, upsert=upsert,
    )  # fmt: skip
    return await commands.add(where, wish)


@command(group, "list", examples=("tiphys repo list", "tiphys repo list -o json"))
async def list_(where: Where) -> None:
    """List the repositories and how their connections are."""
    from services.cli.repository import commands

    await commands.show_list(where)


@command(group, "get", examples=("tiphys repo get https://git.example.com/shop.git --refresh",))
async def get(
    where: Where,
    url: Url,
    project: Project = "",
    refresh: Annotated[bool, typer.Option("--refresh", help="Look at the repository now.")] = False,
) -> None:
    """Show one repository; its credentials are never shown."""
    from services.cli.repository import commands

    await commands.show(where, url, project, refresh=refresh)


@command(group, "rm", examples=("tiphys repo rm https://git.example.com/shop.git",))
async def rm(where: Where, url: Url, project: Project = "") -> None:
    """Forget a repository."""
    from services.cli.repository import commands

    await commands.remove(where, url, project)


@command(credentials, "add", examples=("tiphys repocreds add https://git.example.com/shop --username ci",))
async def add_credentials(
    where: Where,
    url: Prefix,
    kind: Type = Kind.GIT,
    username: User = "",
    password: Password = "",
    bearer_token: BearerToken = "",
    ssh_key: SshKey = None,
    certificate: Certificate = None,
    certificate_key: CertificateKey = None,
    app_id: AppId = "",
    app_installation: Installation = "",
    app_key: AppKey = None,
    app_url: AppUrl = "",
    oci: Oci = False,
    proxy: Proxy = "",
    no_proxy: NoProxy = "",
    basic: Basic = False,
    upsert: Upsert = False,
) -> None:
    """Register credentials for every repository whose URL begins like this."""
    from services.cli.repository import commands
    from services.cli.repository.login import given

    login = given(
        username=username, password=password, bearer_token=bearer_token, ssh_key=ssh_key, certificate=certificate,
        certificate_key=certificate_key, app_id=app_id, app_installation=app_installation, app_key=app_key,
        app_url=app_url, proxy=proxy, no_proxy=no_proxy, basic=basic,
    )  # fmt: skip
    await commands.add_credentials(where, url, kind.value, login, oci=oci, upsert=upsert)


@command(credentials, "list", examples=("tiphys repocreds list",))
async def list_credentials(where: Where) -> None:
    """List the credentials, without what is secret of them."""
    from services.cli.repository import commands

    await commands.list_credentials(where)


@command(credentials, "rm", examples=("tiphys repocreds rm https://git.example.com/shop",))
async def rm_credentials(where: Where, url: Prefix) -> None:
    """Forget credentials."""
    from services.cli.repository import commands

    await commands.remove_credentials(where, url)
