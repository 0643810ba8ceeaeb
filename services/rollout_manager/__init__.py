"""The rollout manager: Rollouts go step by step, by replicas or by traffic; analyses judge; experiments compare.

Owns: Rollout, AnalysisRun, Experiment (`argoproj.io/v1alpha1`), their ReplicaSets, the pod-template-hash in the
selectors of their Services, and what traffic routers read. In: watches of those, of Services, and of what Rollouts
refer to (Deployments, Ingresses, VirtualServices, ...). Out: `delivery.rollout.*`, Kubernetes Events, status.
Needs nothing but a cluster: without a bus it is silent and works. A crash costs nothing but time: where a Rollout is
stands in its status, its ReplicaSets and its Services, and a pass begins from what is there.
"""
