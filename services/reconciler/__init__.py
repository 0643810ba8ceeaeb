"""The reconciler: what Applications want, held against what lives, and synced.

Owns: Application and AppProject (`argoproj.io/v1alpha1`); writes Application status, and the objects that
Applications deliver. In: `delivery.git.revision`; watches of Applications, AppProjects, Argo CD's ConfigMaps and
cluster Secrets, and of every kind held. Asks: `git.resolve`, `git.changed`, `git.verify`, `chart.resolve`, `render`;
reads rendered manifests from the object store `manifests`. Out: `delivery.app.*`, Kubernetes Events, Application
status.
A crash costs nothing but time: a manual operation stays in the object until it is done, an automated one that was cut
off is begun again, everything else is rebuilt from Kubernetes and git. A start with nothing changed writes nothing.
"""
