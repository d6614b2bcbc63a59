"""A PyTorch loop as one would write it: float64, run after run, one thread for each core it may use."""

import os
from itertools import pairwise

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from benchmarks.cases import Case, Floats, Trace
from benchmarks.peers import Ready

HIDDEN = {"logistic": nn.Sigmoid, "relu": nn.ReLU, "tanh": nn.Tanh}


def version() -> str:
    return f"PyTorch {torch.__version__}"


def prepare(case: Case, runs: int, epochs: int) -> Ready:
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    x, y = (torch.from_numpy(part) for part in case.examples())
    weights = case.weights(runs)

    def train() -> list[Trace]:
        return [train_one(case, network(case, weights, run), x, y, epochs) for run in range(runs)]

    def together(traces: list[Trace]) -> Trace:
        return Trace(np.stack([t.loss for t in traces], -1), np.stack([t.gradient_l2 for t in traces], -1))

    return Ready(train, together)


def network(case: Case, weights: list, run: int) -> nn.Sequential:
    parts: list[nn.Module] = []
    for (inputs, units), layer in zip(pairwise(case.widths), weights, strict=True):
        linear = nn.Linear(inputs, units, dtype=torch.float64)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(layer.w[run].T))
            linear.bias.copy_(torch.from_numpy(layer.b[run]))
        parts += [linear, HIDDEN[case.hidden]()]
    return nn.Sequential(*parts[:-1])


def loss_of(case: Case, z: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    if case.output == "softmax":
        return functional.cross_entropy(z, y)
    return functional.binary_cross_entropy_with_logits(z, y, reduction="sum") / len(y)


def norms_of(net: nn.Sequential) -> torch.Tensor:
    """Each layer's gradient L2, weights and biases together: (L,)."""
    layers = [part for part in net if isinstance(part, nn.Linear)]
    return torch.stack([torch.sqrt((p.weight.grad**2).sum() + (p.bias.grad**2).sum()) for p in layers])


def train_one(case: Case, net: nn.Sequential, x: torch.Tensor, y: torch.Tensor, epochs: int) -> Trace:
    optimizer = torch.optim.SGD(net.parameters(), lr=case.learning_rate)
    losses, norms = [], []

    def descend(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        optimizer.zero_grad()
        loss = loss_of(case, net(x), y)
        loss.backward()
        return loss.detach()

    for epoch in range(1, epochs + 1):
        if case.batch_size is None:
            losses.append(descend(x, y))
            norms.append(norms_of(net))
            optimizer.step()
            continue
        order = torch.randperm(len(x)) if case.shuffle else torch.arange(len(x))
        for rows in order.split(case.batch_size):
            descend(x[rows], y[rows])
            optimizer.step()
        if epoch % case.every == 0:
            losses.append(descend(x, y))
            norms.append(norms_of(net))
    return Trace(as_array(losses), as_array(norms))


def as_array(values: list[torch.Tensor]) -> Floats:
    return torch.stack(values).numpy()
