"""The tree of commands. Only signatures and help live in the *_commands modules; what a command does is imported
when it runs.
"""

import typer

from services.cli import (
    app_change_commands,
    change_commands,
    cluster_commands,
    image_commands,
    project_rule_commands,
    repo_commands,
    rollout_commands,
    stack_commands,
    trust_commands,
)
from services.cli.errors import CODES

_HELP = f"""Event-driven continuous delivery for Kubernetes: Argo's manifests, one stack.

Without options a command uses the running stack (`tiphys up`); your own cluster only when you name it.

{CODES}
"""

app = typer.Typer(
    name="tiphys",
    help=_HELP,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
stack_commands.register(app)
app.add_typer(app_change_commands.group, name="app")
app.add_typer(image_commands.group, name="image")
app.add_typer(rollout_commands.group, name="rollout")
change_commands.register(app)
app.add_typer(cluster_commands.group, name="cluster")
app.add_typer(project_rule_commands.group, name="proj")
app.add_typer(trust_commands.cert, name="cert")
app.add_typer(trust_commands.gpg, name="gpg")
app.add_typer(repo_commands.group, name="repo")
app.add_typer(repo_commands.credentials, name="repocreds")


def main() -> None:
    app()
