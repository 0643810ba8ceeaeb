"""From a source at a revision to manifests: Helm, Kustomize, Jsonnet and plain files, as Argo CD renders them.

Hears   requests `render` (queue group; any replica answers) and `chart.resolve`.
Says    a digest of the manifests, and the input paths that were read, so that the reconciler knows which pushes matter.
Owns    the object store bucket `manifests` (by digest), the key-value bucket `renders` (what was rendered from which
        contents), and the folder `charts` in its data directory (downloaded charts by digest).
Reads   mirrors in `<data>/mirrors` (never writes them), repository Secrets in Argo's namespace.
Never   writes to a repository or a cluster, runs a program of the repository, or lets a template reach the network,
        the disk or another repository's files.
A crash costs the renders in flight: the requester asks again, and what was rendered before is still known by its
contents.
"""
