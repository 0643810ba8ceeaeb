"""An AppProject as rows and lines for people. Pure: the object as the API server gave it in, text out."""

from typing import Any

from services.cli.project.change import listed
from services.cli.project.store import wrong

Obj = dict[str, Any]
LIST_HEADER = ("NAME", "DESCRIPTION", "DESTINATIONS", "SOURCES", "CLUSTER KINDS", "ROLES", "WINDOWS", "PROBLEMS")
ROLE_HEADER = ("NAME", "DESCRIPTION", "POLICIES", "GROUPS", "TOKENS")
WINDOW_HEADER = ("ID", "KIND", "SCHEDULE", "DURATION", "TIME ZONE", "APPLICATIONS", "NAMESPACES", "CLUSTERS", "OPTIONS")
POLICY_HEADER = ("ID", "REPOSITORIES", "MODE", "KEYS")


def _several(items: list[str]) -> str:
    """One is shown, several are counted."""
    return items[0] if len(items) == 1 else (str(len(items)) if items else "<none>")


def destination(rule: Obj) -> str:
    return f"{rule.get('server') or rule.get('name') or ''},{rule.get('namespace') or ''}"


def kind(rule: Obj) -> str:
    name = f" {rule['name']}" if rule.get("name") else ""
    return f"{rule.get('group') or ''}/{rule.get('kind') or ''}{name}"


def list_row(project: Obj) -> tuple[str, ...]:
    spec = project.get("spec") or {}
    return (
        project["metadata"]["name"],
        str(spec.get("description") or ""),
        _several([destination(rule) for rule in listed(spec, ("destinations",))]),
        _several([str(one) for one in listed(spec, ("sourceRepos",))]),
        _several([kind(rule) for rule in listed(spec, ("clusterResourceWhitelist",))]),
        str(len(listed(spec, ("roles",)))),
        str(len(listed(spec, ("syncWindows",)))),
        "; ".join(wrong(project)),
    )


def get_rows(project: Obj) -> list[tuple[str, str]]:
    """Every rule on a line of its own; what is not there is left out."""
    spec = project.get("spec") or {}
    orphaned = spec.get("orphanedResources")
    lists = (
        ("Source", [str(one) for one in listed(spec, ("sourceRepos",))]),
        ("Source namespace", [str(one) for one in listed(spec, ("sourceNamespaces",))]),
        ("Destination", [destination(rule) for rule in listed(spec, ("destinations",))]),
        ("Allowed cluster kind", [kind(rule) for rule in listed(spec, ("clusterResourceWhitelist",))]),
        ("Denied cluster kind", [kind(rule) for rule in listed(spec, ("clusterResourceBlacklist",))]),
        ("Allowed namespaced kind", [kind(rule) for rule in listed(spec, ("namespaceResourceWhitelist",))]),
        ("Denied namespaced kind", [kind(rule) for rule in listed(spec, ("namespaceResourceBlacklist",))]),
        ("Signature key", [str(key.get("keyID") or "") for key in listed(spec, ("signatureKeys",))]),
        ("Source integrity", [policy_line(one) for one in listed(spec, ("sourceIntegrity", "git", "policies"))]),
        ("Service account", [account(rule) for rule in listed(spec, ("destinationServiceAccounts",))]),
        ("Role", [str(role.get("name") or "") for role in listed(spec, ("roles",))]),
        ("Sync windows", [str(len(listed(spec, ("syncWindows",))))]),
        ("Problem", wrong(project)),
    )
    head = [("Project", project["metadata"]["name"]), ("Description", str(spec.get("description") or ""))]
    rows = [(label, value) for label, values in lists for value in values]
    ways = "disabled" if orphaned is None else f"enabled (warn={str(orphaned.get('warn') is True).lower()})"
    return [row for row in (*head, *rows, ("Orphaned resources", ways)) if row[1]]


def account(rule: Obj) -> str:
    return f"{rule.get('server') or ''},{rule.get('namespace') or ''} as {rule.get('defaultServiceAccount') or ''}"


def policy_line(policy: Obj) -> str:
    """One policy of source integrity."""
    _, repos, mode, keys = policy_row(0, policy)
    return f"{repos}: {mode} {keys}".rstrip()


def policy_row(position: int, policy: Obj) -> tuple[str, ...]:
    gpg = policy.get("gpg") or {}
    urls = ",".join(str(repo.get("url") or "") for repo in policy.get("repos") or ())
    return (str(position), urls, str(gpg.get("mode") or ""), ",".join(gpg.get("keys") or ()))


def role_row(role: Obj) -> tuple[str, ...]:
    counts = (str(len(role.get(name) or ())) for name in ("policies", "groups", "jwtTokens"))
    return (str(role.get("name") or ""), str(role.get("description") or ""), *counts)


def role_rows(role: Obj) -> list[tuple[str, str]]:
    tokens = [f"{token.get('id') or ''} issued {token.get('iat')}" for token in role.get("jwtTokens") or ()]
    rows = [("Role", role.get("name") or ""), ("Description", role.get("description") or "")]
    rows += [("Policy", policy) for policy in role.get("policies") or ()]
    rows += [("Group", group) for group in role.get("groups") or ()]
    return [row for row in (*rows, *(("Token", token) for token in tokens)) if row[1]]


def window_row(position: int, window: Obj) -> tuple[str, ...]:
    flags = {"manualSync": "manual", "syncOverrun": "overrun", "andOperator": "and"}
    lists = (",".join(window.get(name) or ()) for name in ("applications", "namespaces", "clusters"))
    said = ",".join(word for name, word in flags.items() if window.get(name))
    texts = (str(window.get(name) or "") for name in ("kind", "schedule", "duration"))
    return (str(position), *texts, str(window.get("timeZone") or "UTC"), *lists, said)
