"""The objects that Tiphys reads and writes, as data: Argo's custom resources, its Secrets and its ConfigMaps.

In: dicts as the API server gives them. Out: frozen values with typed fields, and the rules that follow from them.
Nothing in here does I/O, waits, or knows a service.
"""
