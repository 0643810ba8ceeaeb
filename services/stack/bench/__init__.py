"""What the stack costs and how fast it is, measured from outside: its own watch on the API server, /proc for CPU
and memory.

In: how many Applications. Out: figures, and docs/benchmarks.md. It starts its own stack in its own folder and stops
it afterwards; nothing of it runs in the process it measures.
"""
