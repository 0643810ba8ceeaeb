"""`python -m services.stack.build`: builds the engines worker and the embedded Kubernetes, once per machine.

Nothing is built that is there already; each program says what it does while it is built.
"""

import os
import sys
from pathlib import Path

from services.stack.notify import to_terminal
from shared import engines
from shared.engines.build import BuildError, ensure_go_binary


def main() -> int:
    try:
        ensure_go_binary(Path(engines.__file__).with_name("worker"), "engines-worker", report=to_terminal)
        if "KUBEBUILDER_ASSETS" not in os.environ:
            from services.stack import cluster

            cluster.build(to_terminal)
    except BuildError as error:
        to_terminal(f"the build failed: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
