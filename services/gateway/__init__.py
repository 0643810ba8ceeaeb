"""The edge: what the outside tells Tiphys.

Hears: HTTP, `POST /api/webhook` from git providers. Watches Secret `argocd-secret` (and Secrets it refers to) for the
webhooks' secrets. Says: `hooks.git`, one event per moved ref, before the provider gets its 202. Owns: signatures and
limits at the edge; it believes no payload, git_watcher asks git itself.
A crash costs nothing that was answered with 202; a provider that got no answer sends again, the poll finds the rest.
"""
