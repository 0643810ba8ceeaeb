"""YAML as Kubernetes reads it (sigs.k8s.io/yaml), and YAML for people to read.

In: bytes of a file, of any origin. Out: JSON values, or `YamlError` with the place of the problem. Size, depth and what
aliases grow to are bounded. Never: objects of other types, tags that construct things, files.
"""

from shared.yamlio.dump import dump
from shared.yamlio.load import LARGEST, YamlError, load_all

__all__ = ["LARGEST", "YamlError", "dump", "load_all"]
