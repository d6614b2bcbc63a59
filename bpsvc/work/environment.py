"""What decides the bits of a run besides its spec: the fingerprint that is stored with it."""

import functools
import json
import platform
import sys

import numpy as np
import threadpoolctl

from bpsvc import nn


@functools.cache
def fingerprint() -> str:
    """The environment as JSON: numerics version, Python, numpy, BLAS and the CPU features numpy uses.

    Within one fingerprint a run repeats to the bit; across fingerprints it need not. The number of BLAS
    threads is not part of it because training always uses one.
    """
    libraries = threadpoolctl.threadpool_info()
    blas = [
        f"{lib['internal_api']} {lib['version']} {lib.get('architecture', '')}".strip() for lib in libraries
    ]
    config = np.show_config(mode="dicts")
    simd = config.get("SIMD Extensions", {}) if isinstance(config, dict) else {}
    return json.dumps(
        {
            "numerics": nn.NUMERICS,
            "python": ".".join(map(str, sys.version_info[:3])),
            "numpy": np.__version__,
            "blas": sorted({name for name in blas if "openmp" not in name}),
            "machine": platform.machine(),
            "simd": sorted([*simd.get("baseline", []), *simd.get("found", [])]),
        },
        sort_keys=True,
    )
