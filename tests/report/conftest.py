"""Materials computed once a session by the small independent trainer."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import tiny_trainer

from bpsvc.report import Material


@pytest.fixture(scope="session")
def xor() -> Material:
    """Both losses on XOR, squared also with four times the step; late and stuck runs are among them."""
    return tiny_trainer.xor(seeds=10, epochs=3000)


@pytest.fixture(scope="session")
def vanishing() -> Material:
    """Two activations by three depths."""
    return tiny_trainer.vanishing(seeds=6, epochs=100, depths=(2, 5, 10), activations=("logistic", "tanh"))


@pytest.fixture(scope="session")
def many() -> Material:
    """Sixteen configurations: activation by depth."""
    return tiny_trainer.vanishing(seeds=3, epochs=40, depths=(1, 2, 3, 4))


@pytest.fixture(scope="session")
def clouds() -> Material:
    """Three classes with a split for every seed."""
    return tiny_trainer.clouds(seeds=8, epochs=60)


@pytest.fixture(scope="session")
def exploding() -> Material:
    """A step so large that the numbers overflow, beside one that is fine; runs stop when solved."""
    tasks = [
        tiny_trainer.Task(
            {"learning_rate": rate},
            (8,) * 6,
            "leaky_relu",
            rate=rate,
            epochs=200,
            span=1.0,
            every=10,
            stop=True,
        )
        for rate in (0.05, 1e60)
    ]
    return tiny_trainer.material("exploding", tasks, 8)
