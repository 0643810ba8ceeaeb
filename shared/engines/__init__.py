"""The field's own libraries (Helm, Kustomize, Jsonnet, Go templates, Lua, ...) in processes that can do no harm.

`client.Engines` keeps a pool of workers (the Go program in `worker/`); the other modules are typed calls on it. A call
never touches the disk or the network: files are answered from a `FileAccess` of the caller.
"""
