"""`make bench-rollouts`: what the rollout manager costs and how fast it is, on the embedded control plane with the
simulated node.

In: which parts, how many of each. Out: figures, and a section of docs/benchmarks.md. The rollout manager is a process
of its own; times are taken from watches of the bench's own, requests are counted by the API server.
"""
