"""Knows where every ref in use stands, and says what moved, with the paths that differ.

Hears   `hooks.git` and `delivery.image.updated` (hints: git itself is asked), its own poll (one look per repository and
        interval), and the requests `git.resolve`, `git.metadata`, `git.changed`, `git.refs`, `git.verify`.
Says    `delivery.git.revision` for each moved ref, when the new commit is in the mirror already; `delivery.git.failed`
        when a repository can't be read any more.
Owns    git credentials (repository Secrets in Argo's namespace), the keys for signatures (`<data>/keys`), and
        `<data>/mirrors`: a bare mirror per repository, with a small file beside it that says what was announced last.
Never   runs a program of a repository, writes to one, or does work for each Application: a push costs one fetch.
A crash costs latency: what moved meanwhile is found by comparing the announced refs with the remote's, and announced.
"""
