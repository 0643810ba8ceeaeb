"""`tiphys rollout ...` at work: the same patches as the kubectl plugin, tables for people, `lint` for pipelines."""
