"""The edge: what the outside tells Tiphys.

Hears: HTTP, `POST /api/webhook` from git providers and registries (`/api/webhook/registry?type=` from registries only).
Watches Secrets `argocd-secret` (and Secrets it refers to) and `argocd-image-updater-secret` for the webhooks' secrets.
Says: `hooks.git`, one event per moved ref, and `hooks.registry`, one per pushed tag, before the sender gets its 202.
Owns: signatures and limits at the edge; it believes no payload: git and the registry are asked themselves.
A crash costs nothing that was answered with 202; a provider that got no answer sends again, the poll finds the rest.
"""
