"""Sets images of Applications to the version that their policy chooses, and writes that down: in git or the object.

Hears   `delivery.image.pushed`, watches of ImageUpdaters, Applications and git credentials, and the requests
        `images.list`, `images.explain`, `images.update`, `images.hold`, `images.resume`.
Says    `delivery.image.updated`; asks registry_watcher `registry.tags`, `.digest`, `.verify`, `.watch`.
Owns    ImageUpdater status, Kubernetes Events `ImagesUpdated` on Applications, buckets `images` (what was written last)
        and `holds`, and `<data>/writeback`: bare mirrors in which commits are built.
Never   lists a registry itself, runs a program of a repository, or writes what is already so. A push costs the
        Applications that use the image, not those that exist.
A crash costs latency: every pass compares with what git holds, so a commit that arrived is not made again.
"""
