"""Forward and backward through a stack of networks, with every buffer allocated once.

Forward saves each layer's z and a; backward goes from layer K to 1 and reuses them: delta_K from the loss,
the gradient dW_l = a_{l-1} delta_lᵀ, the signal delta_{l-1} = (W_l delta_l) f'(z_{l-1}). No parameter changes
meanwhile, so every gradient is of the same state ("this is the w13 from before it was updated"). delta is the
lecture's signal: dloss/dz of one example, whatever the reduction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bpsvc.nn.activations import Activation
from bpsvc.nn.arrays import Floats, Knobs, Work
from bpsvc.nn.layout import Layout
from bpsvc.nn.losses import LOSSES, Term
from bpsvc.nn.network import Network


@dataclass(frozen=True)
class Objective:
    """What is descended: a loss with its knobs (broadcasting against outputs), averaged over examples or
    summed.
    """

    loss: str
    reduction: str
    knobs: Knobs

    def term(self, output: str) -> Term:
        term = LOSSES[self.loss].for_output(output)
        if term is None:
            raise ValueError(f"{self.loss} has no form for {output} outputs")
        return term


@dataclass(frozen=True)
class Stage:
    """One layer's buffers and views. `a` carries the constant 1 of the next layer's bias as one unit more
    than `units`.
    """

    function: Activation
    knobs: Knobs
    matrix: Floats  # W with b as its last row
    weights: Floats
    d_matrix: Floats
    d_knobs: Mapping[str, Floats]
    inputs: int
    biased: bool
    z: Floats
    a: Floats
    units: Floats
    delta: Floats
    slope: Floats
    work: Work


class Propagation:
    """`runs` networks on `examples` examples. theta and gradient (both as the layout stacks them) are kept as
    views.
    """

    def __init__(
        self,
        network: Network,
        layout: Layout,
        theta: Floats,
        gradient: Floats,
        examples: int,
        knobs: Sequence[Knobs],
        objective: Objective,
    ) -> None:
        self.layout, self.gradient, self.examples = layout, gradient, examples
        self.runs: int = theta.shape[-1 if layout.units == 0 else 0]
        self.mean = objective.reduction == "mean"
        self.stages = tuple(self._stages(network, theta, knobs))
        self.output = self.stages[-1]
        name = network.output.activation
        self.term, self.loss_knobs = objective.term(name), objective.knobs
        self.fused = self.term.fused.get(name)
        self.terms = np.empty_like(self.output.z)
        self.loss = np.empty(self.runs)

    def _stages(self, network: Network, theta: Floats, knobs: Sequence[Knobs]) -> Sequence[Stage]:
        layout, stages = self.layout, []
        for layer, at, given in zip(network.layers, network.slices, knobs, strict=True):
            shape = layout.shape(self.runs, at.units, self.examples)
            a = np.ones(layout.shape(self.runs, at.units + 1, self.examples))
            learned = {
                name: layout.per_run(layout.rows(theta, slice(k, k + 1))) for name, k in at.knobs.items()
            }
            z, delta, slope = np.zeros(shape), np.zeros(shape), np.zeros(shape)
            stage = Stage(
                function=layer.function,
                knobs={**given, **learned},
                matrix=layout.matrix(theta, at.matrix, at.rows, at.units),
                weights=layout.matrix(theta, at.weights, at.inputs, at.units),
                d_matrix=layout.matrix(self.gradient, at.matrix, at.rows, at.units),
                d_knobs={name: layout.rows(self.gradient, slice(k, k + 1)) for name, k in at.knobs.items()},
                inputs=at.inputs,
                biased=layer.bias,
                z=z,
                a=a,
                units=layout.head(a, at.units),
                delta=delta,
                slope=slope,
                work=Work.like(z, layout.units),
            )
            stages.append(stage)
        return stages

    def forward(self, x: Floats) -> None:
        """z_l = W_lᵀ a_{l-1} + b_l, a_l = f_l(z_l), from the inputs x (a_0, with its constant 1)."""
        a = x
        for stage in self.stages:
            self.layout.affine(stage.matrix, self._fed(stage, a), stage.z)
            stage.function.value(stage.z, stage.knobs, stage.units, stage.work)
            a = stage.a

    def judge(self, y: Floats) -> Floats:
        """The loss (R,) of the forward pass that was."""
        self.write_terms(y)
        self.layout.total(self.terms, self.loss)
        if self.mean:
            np.divide(self.loss, self.examples, out=self.loss)
        return self.loss

    def write_terms(self, y: Floats) -> None:
        """Each output's term of the loss: from z where the pair is fused, else from a."""
        out = self.output
        if self.fused:
            self.fused.value(out.z, y, self.terms, out.work)
        else:
            self.term.value(out.units, y, self.loss_knobs, self.terms, out.work)

    def backward(self, x: Floats, y: Floats) -> None:
        """All gradients, layer by layer from K to 1, from what the forward pass saved."""
        self._output_signal(y)
        for k in range(len(self.stages) - 1, -1, -1):
            stage = self.stages[k]
            below = self.stages[k - 1].a if k else x
            self.layout.outer(self._fed(stage, below), stage.delta, stage.d_matrix)
            if k:
                self.layout.pull(stage.weights, stage.delta, self.stages[k - 1].delta)
                self._through(self.stages[k - 1])
        if self.mean:
            np.divide(self.gradient, self.examples, out=self.gradient)

    def _output_signal(self, y: Floats) -> None:
        out = self.output
        if self.fused:
            self.fused.delta(out.units, y, out.delta)
            return
        self.term.derivative(out.units, y, self.loss_knobs, out.delta, out.work)
        if out.function.through:
            out.function.through(out.delta, out.units, out.delta, out.work)
        else:
            self._through(out)

    def _through(self, stage: Stage) -> None:
        """From dloss/da, which stands in delta, to dloss/dz; on the way the gradients of learned knobs."""
        for name, derivative in stage.function.learned.items():
            derivative(stage.z, stage.knobs, stage.work.v, stage.work)
            np.multiply(stage.work.v, stage.delta, out=stage.work.v)
            self.layout.total(stage.work.v, stage.d_knobs[name].reshape(-1))
        stage.function.derivative(stage.z, stage.units, stage.knobs, stage.slope, stage.work)
        np.multiply(stage.delta, stage.slope, out=stage.delta)

    def _fed(self, stage: Stage, a: Floats) -> Floats:
        return a if stage.biased else self.layout.head(a, stage.inputs)
