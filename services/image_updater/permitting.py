"""Whether a project lets an Application's images be written somewhere. Pure.

What the reconciler would refuse to run is refused to be written: an Application of a namespace that the project does
not list, and a repository of `gitConfig.repository` that is not among the project's.
"""

from services.image_updater.placing import Place
from services.image_updater.refusals import Refused
from services.image_updater.view import AppView
from shared.kinds.appproject import AppProject
from shared.kinds.project import permitted_source, permitted_source_namespace
from shared.kinds.urls import normalise_url


def check_permitted(view: AppView, place: Place, project: AppProject | None, *, argo: str) -> None:
    """Raises Refused."""
    if project is None:
        if view.project == "default" and view.key.namespace == argo:
            return
        raise Refused("ProjectMissing", f"there is no project {view.project}: nothing of {view.key} is written")
    if view.key.namespace != argo and not permitted_source_namespace(project, view.key.namespace):
        raise Refused(
            "NotPermitted",
            f"project {project.name} does not list {view.key.namespace} in sourceNamespaces: nothing is written",
        )
    own = {normalise_url(one.repo_url) for one in view.sources()} if view.key.namespace == argo else set[str]()
    if place.url and normalise_url(place.url) not in own and not permitted_source(project, place.url):
        raise Refused(
            "NotPermitted",
            f"project {project.name} does not permit {normalise_url(place.url)}: add it to sourceRepos, or write to "
            "the Application's own repository",
        )
