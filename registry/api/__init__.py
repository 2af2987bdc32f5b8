"""The Python API: `Registry` for everything, `Model` for one version that a program uses (DESIGN part 7).

Every face (the command line, the pages, the Action, MLflow's store) calls this and goes around none of it.
"""

from registry.api.registry import Registry

__all__ = ["Registry"]
