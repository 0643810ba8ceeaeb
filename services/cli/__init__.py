"""The `tiphys` command: reads and writes Argo's objects as kubectl would and asks the services over the bus.

In: a person's or a script's arguments, a kubeconfig or the running stack's state file. Out: tables, JSON or YAML,
exit codes (errors.py). It owns no kind and keeps no state; what it writes is what kubectl could write. It never
chooses a person's own cluster silently.
"""
