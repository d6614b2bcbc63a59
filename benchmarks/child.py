"""A process that runs one peer, bound to its cores before anything is imported.

A request is one line of JSON on stdin, {"op": "time" | "trace" | "profile" | "version", "case": name, "runs":
R, "epochs": E, "shuffle": …}, and so is the answer on stdout. What was prepared is kept, so all are warm.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from typing import Any

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def main(peer: str, cores: list[int]) -> None:
    os.sched_setaffinity(0, cores)
    os.environ.update(dict.fromkeys(THREADS, str(len(cores))))
    answer = answers(peer)
    for line in sys.stdin:
        try:
            found = answer(json.loads(line))
        except ImportError as error:
            found = {"missing": str(error)}
        print(json.dumps(found), flush=True)


def answers(peer: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    kept: dict[tuple[Any, ...], Any] = {}

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        from benchmarks.cases import CASES
        from benchmarks.profiling import profiled

        module = import_module(f"benchmarks.peers.{peer}")
        if request["op"] == "version":
            return {"version": module.version()}
        case = replace(CASES[request["case"]], shuffle=request.get("shuffle", True))
        key = (case, request["runs"], request["epochs"])
        if key not in kept:
            kept.clear()  # one at a time: memory
            kept[key] = module.prepare(*key)
        ready = kept[key]
        if request["op"] == "trace":
            trace = ready.trace(ready.train())
            return {"loss": trace.loss.tolist(), "gradient_l2": trace.gradient_l2.tolist()}
        if request["op"] == "profile":
            return {"lines": profiled(ready.train)}
        wall, cpu = time.perf_counter(), time.process_time()
        ready.train()
        return {
            "wall_s": time.perf_counter() - wall,
            "cpu_s": time.process_time() - cpu,
            "compile_s": ready.compile_s,
            "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }

    return answer


if __name__ == "__main__":
    main(sys.argv[1], [int(core) for core in sys.argv[2].split(",")])
