"""Forward and backward through a stack of networks, with every buffer allocated once.

Forward saves each layer's z and a; backward goes from layer K to 1 and reuses them: delta_K from the loss,
the gradient dW_l = a_{l-1} delta_lᵀ, the signal delta_{l-1} = (W_l delta_l) f'(z_{l-1}). No parameter changes
meanwhile, so every gradient is of the same state ("this is the w13 from before it was updated").

delta is dloss/dz of the reduced loss: the lecture's signal, which is of one example's loss, over `divisor` (N
where examples are averaged, else 1).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from bpsvc.errors import UsageError
from bpsvc.nn.activation import Activation
from bpsvc.nn.arrays import Floats, Knobs, Pool, Work
from bpsvc.nn.layout import Layout
from bpsvc.nn.losses import LOSSES, Term
from bpsvc.nn.network import Network


@dataclass(frozen=True)
class Objective:
    """What is descended: a loss, its knobs (broadcasting against outputs), averaged over examples or not."""

    loss: str
    reduction: str
    knobs: Knobs

    def term(self, output: str) -> Term:
        term = LOSSES[self.loss].for_output(output)
        if term is None:
            raise UsageError(f"{self.loss} has no form for {output} outputs")
        return term


class Parameters(NamedTuple):
    """theta and its gradient as the layout stacks them, and each run's loss (R,): kept as views, written in
    place.
    """

    theta: Floats
    gradient: Floats
    loss: Floats


@dataclass(frozen=True)
class Stage:
    """One layer: buffers and views. `units` is its f(z); `a` is what feeds the next layer: the units and one
    more, the constant 1 that carries a bias. `head` is the units' part of `a` where that is a copy.
    """

    function: Activation
    knobs: Knobs
    matrix: Floats  # W with b as its last row
    weights: Floats
    d_matrix: Floats
    d_knobs: Mapping[str, Floats]
    below: Floats | None  # the a that feeds it; None: the network's inputs
    inputs: int | None  # how many of them, where a bias does not take the constant as well
    z: Floats
    units: Floats
    a: Floats
    head: Floats | None
    pulled: Floats
    delta: Floats
    slope: Floats
    work: Work


class Propagation:
    """Networks, one for each run, on `examples` examples at a time."""

    def __init__(
        self,
        network: Network,
        layout: Layout,
        parameters: Parameters,
        examples: int,
        knobs: Sequence[Knobs],
        objective: Objective,
    ) -> None:
        self.layout, self.examples, self.runs = layout, examples, len(parameters.loss)
        self.gradient, self.loss = parameters.gradient, parameters.loss
        self.averages = objective.reduction == "mean" and examples > 1
        self.divisor = np.array(float(examples) if self.averages else 1.0)  # an array: quicker than a number
        self.stages = tuple(self._stages(network, parameters, knobs))
        self.output = self.stages[-1]
        name = network.output.activation
        self.term, self.loss_knobs = objective.term(name), objective.knobs
        self.fused = self.term.fused.get(name)
        self.terms = np.empty_like(self.output.z)

    def _stages(self, network: Network, parameters: Parameters, knobs: Sequence[Knobs]) -> Sequence[Stage]:
        layout, theta, gradient = self.layout, parameters.theta, parameters.gradient
        pool = Pool(max(layer.units for layer in network.layers) * self.examples * self.runs)
        stages: list[Stage] = []
        # The outputs feed nothing: no constant beside them, so they are one long vector.
        fan_out = [layer.units for layer in network.layers[1:]] + [0]
        for layer, at, given, fed in zip(network.layers, network.slices, knobs, fan_out, strict=True):
            below = stages[-1].a if stages else None
            shape = layout.shape(self.runs, at.units, self.examples)
            a = layout.feeding(self.runs, at.units + (fed > 0), self.examples, fed)
            head = layout.head(a, at.units)
            copies = at.units * self.examples <= layout.few and fed > 1
            learned = {k: layout.per_run(layout.rows(theta, slice(n, n + 1))) for k, n in at.knobs.items()}
            delta = np.zeros(shape)
            pulled = layout.feeding(self.runs, at.units, self.examples, fed) if copies else delta
            stage = Stage(
                function=layer.function,
                knobs={**given, **learned},
                matrix=layout.matrix(theta, at.matrix, at.rows, at.units),
                weights=layout.matrix(theta, at.weights, at.inputs, at.units),
                d_matrix=layout.matrix(gradient, at.matrix, at.rows, at.units),
                d_knobs={k: layout.rows(gradient, slice(n, n + 1)).reshape(-1) for k, n in at.knobs.items()},
                below=below if below is None or layer.bias else layout.head(below, at.inputs),
                inputs=None if layer.bias else at.inputs,
                z=np.zeros(shape),
                units=np.zeros(shape) if copies else head,
                a=a,
                head=head if copies else None,
                pulled=pulled,
                delta=delta,
                slope=np.zeros(shape),
                work=pool.work(shape, layout.units),
            )
            stages.append(stage)
        return stages

    def forward(self, x: Floats) -> None:
        """z_l = W_lᵀ a_{l-1} + b_l, a_l = f_l(z_l), from the inputs x (a_0, with its constant 1)."""
        for stage in self.stages:
            self.layout.affine(stage.matrix, self._fed(stage, x), stage.z)
            stage.function.value(stage.z, stage.knobs, stage.units, stage.work)
            if stage.head is not None:
                np.copyto(stage.head, stage.units)

    def judge(self, y: Floats) -> None:
        """The loss (R,) of the forward pass that was: of each output from z where the pair is fused, else
        from a.
        """
        out = self.output
        if self.fused:
            self.fused.value(out.z, y, self.terms, out.work)
        else:
            self.term.value(out.units, y, self.loss_knobs, self.terms, out.work)
        self.layout.total(self.terms, self.loss)
        if self.averages:
            np.divide(self.loss, self.divisor, out=self.loss)

    def backward(self, x: Floats, y: Floats) -> None:
        """All gradients, layer by layer from K to 1, from what the forward pass saved."""
        self._output_signal(y)
        for k in range(len(self.stages) - 1, -1, -1):
            stage = self.stages[k]
            self.layout.outer(self._fed(stage, x), stage.delta, stage.d_matrix)
            if k:
                self.layout.pull(stage.weights, stage.delta, self.stages[k - 1].pulled)
                self._through(self.stages[k - 1])

    def _output_signal(self, y: Floats) -> None:
        out = self.output
        if self.fused:
            self.fused.delta(out.units, y, out.delta)
        else:
            self.term.derivative(out.units, y, self.loss_knobs, out.pulled, out.work)
            if out.function.through:
                out.function.through(out.pulled, out.units, out.delta, out.work)
            else:
                self._through(out)
        if self.averages:
            np.divide(out.delta, self.divisor, out=out.delta)
            for gradient in out.d_knobs.values():
                np.divide(gradient, self.divisor, out=gradient)

    def _through(self, stage: Stage) -> None:
        """From dloss/da, which has been pulled, to dloss/dz; on the way the gradients of learned knobs."""
        for name, derivative in stage.function.learned.items():
            derivative(stage.z, stage.knobs, stage.work.v, stage.work)
            np.multiply(stage.work.v, stage.pulled, out=stage.work.v)
            self.layout.total(stage.work.v, stage.d_knobs[name])
        stage.function.derivative(stage.z, stage.units, stage.knobs, stage.slope, stage.work)
        np.multiply(stage.pulled, stage.slope, out=stage.delta)

    def _fed(self, stage: Stage, x: Floats) -> Floats:
        """What the layer's affine map takes: W alone, or W and the constant's b."""
        if stage.below is not None:
            return stage.below
        return x if stage.inputs is None else self.layout.head(x, stage.inputs)
