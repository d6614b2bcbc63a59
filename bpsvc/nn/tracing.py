"""One step of backpropagation, kept term by term: what `bpsvc trace` prints the way the lecture does it by
hand.
"""

from dataclasses import dataclass

import numpy as np

from bpsvc.nn.arrays import Floats
from bpsvc.nn.lanes import Lanes
from bpsvc.nn.problem import Problem


@dataclass(frozen=True)
class LayerTrace:
    """One layer of one run: for each example z, a, f'(z) and delta = dloss/dz, (N, D) each; for each weight
    its per-example terms a_s delta_d, (N, I, D); for each bias its terms, which are delta; for each learned
    knob its terms, the sum over units of dloss/da da/dknob, (N,).

    `gradient_weights` (I, D), `gradient_bias` (D,) and `gradient_knobs` are what the engine uses: the terms'
    mean or sum.
    """

    z: Floats
    a: Floats
    slope: Floats
    delta: Floats
    weight_terms: Floats
    knob_terms: dict[str, Floats]
    gradient_weights: Floats
    gradient_bias: Floats | None
    gradient_knobs: dict[str, float]


@dataclass(frozen=True)
class StepTrace:
    """A full-batch step of one run. `pull` (N, O) is dterm/da at the outputs: minus the lecture's
    y/h - (1-y)/(1-h) under the log-likelihood; it may be infinite where delta, which is exact, is not.

    `terms` (N,) is each example's loss; theta_before and theta_after (P,).
    """

    terms: Floats
    loss: float
    pull: Floats
    layers: tuple[LayerTrace, ...]
    theta_before: Floats
    theta_after: Floats


def trace(problem: Problem, theta: Floats, epoch: int = 0) -> StepTrace:
    """The full-batch step that a run (a problem of one run, theta (P,)) would take after `epoch` epochs.

    With an optimizer that keeps slots it is the first step, as if the run began here.
    """
    slots = {name: np.zeros((1, theta.size)) for name in Lanes.slot_names(problem)}
    with np.errstate(all="ignore"):
        lanes = Lanes(problem, np.reshape(theta, (1, -1)), slots)
        lanes.evaluate()
        p, layout = lanes.full, lanes.layout

        def seen(values: Floats) -> Floats:
            """(D, N) of the run, as (N, D)."""
            rows: Floats = layout.unstack(values)[0].T.copy()
            return rows

        terms = seen(p.terms).sum(axis=1)
        output = p.output
        derivative = np.empty_like(output.z)
        p.term.derivative(output.units, lanes.y, p.loss_knobs, derivative, output.work)
        gradient = problem.network.unpack(layout.unstack(lanes.parameters.gradient)[0])
        below, layers = np.asarray(problem.x if problem.x.ndim == 2 else problem.x[0]), []
        deltas = [p.divisor * seen(stage.delta) for stage in p.stages]
        above = zip(deltas[1:], problem.network.unpack(theta)[1:], strict=True)
        pulls = [*(delta @ fed.weights.T for delta, fed in above), seen(derivative)]
        for stage, part, delta, pull in zip(p.stages, gradient, deltas, pulls, strict=True):
            stage.function.derivative(stage.z, stage.units, stage.knobs, stage.slope, stage.work)
            a, knob_terms = seen(stage.units), {}
            for name, by_knob in stage.function.learned.items():
                by_knob(stage.z, stage.knobs, stage.work.v, stage.work)
                knob_terms[name] = (pull * seen(stage.work.v)).sum(axis=1)
            layers.append(
                LayerTrace(
                    z=seen(stage.z),
                    a=a,
                    slope=seen(stage.slope),
                    delta=delta,
                    weight_terms=below[:, :, None] * delta[:, None, :],
                    knob_terms=knob_terms,
                    gradient_weights=part.weights.copy(),
                    gradient_bias=None if part.bias is None else part.bias.copy(),
                    gradient_knobs={name: float(value) for name, value in part.knobs.items()},
                )
            )
            below = a
        loss = float(lanes.parameters.loss[0])
        lanes.descent.step(epoch, 1)
        after = lanes.unstacked()[0][0]
    return StepTrace(terms, loss, seen(derivative), tuple(layers), np.array(theta, dtype=np.float64), after)
