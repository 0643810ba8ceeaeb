"""In which order kinds are applied within one wave: what others need comes first (Argo CD's list, spec 2.5)."""

_ORDER = """
Namespace NetworkPolicy ResourceQuota LimitRange PodSecurityPolicy PodDisruptionBudget ServiceAccount Secret SecretList
ConfigMap StorageClass PersistentVolume PersistentVolumeClaim CustomResourceDefinition ClusterRole ClusterRoleList
ClusterRoleBinding ClusterRoleBindingList Role RoleList RoleBinding RoleBindingList Service DaemonSet Pod
ReplicationController ReplicaSet Deployment HorizontalPodAutoscaler StatefulSet Job CronJob IngressClass Ingress
APIService
"""
_RANK = {kind: position for position, kind in enumerate(_ORDER.split())}


def kind_rank(kind: str) -> int:
    """Give the place of a kind; all kinds that the list doesn't name share the last one."""
    return _RANK.get(kind, len(_RANK))
