"""The composition root: every service's `app` in one process, or one of them alone, with the bus and the cluster
they need.

In: options (a person's `tiphys up`, a container's arguments). Out: `<data>/stack.json`, the embedded nats-server and
cluster, CRDs. It owns no kind and no subject. A crash of this process stops its services; Kubernetes, git and
JetStream keep what matters.
"""
