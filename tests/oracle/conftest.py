"""The oracle lives in an environment of its own (`make oracle`); without JAX its tests are not collected."""

import os
from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("jax") and find_spec("optax") else ["test_*.py"]

# Hundreds of tiny programs, each run once: compiling them well would take longer than everything else.
os.environ.setdefault(
    "XLA_FLAGS", "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
)
