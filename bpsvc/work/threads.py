"""One thread of BLAS a process: parallel work is done by processes, one stack each."""

import os


def one_each() -> None:
    """See to it for this process, if it has not loaded numpy yet, and for those it starts."""
    os.environ.update(dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
