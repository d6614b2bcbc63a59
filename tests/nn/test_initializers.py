"""Where weights start: moments, bounds, sharing between runs, and the flat layout of theta."""

import numpy as np
import pytest
from nn_building import network

from bpsvc import nn
from bpsvc.nn.network import LayerParameters

SEEDS = np.arange(400, dtype=np.uint64)
NET = network([12, 20, 5], "tanh", "identity")


def drawn(scheme: str, net: nn.Network = NET, **knobs: float) -> tuple[LayerParameters, ...]:
    values = {name: np.full(len(SEEDS), value) for name, value in knobs.items()}
    return net.unpack(nn.initialize(net, scheme, values, SEEDS))


def test_the_lectures_small_range_is_the_default_biases_included() -> None:
    for layer in drawn("uniform"):
        for values in (layer.weights, layer.bias):
            assert -0.1 <= values.min() < -0.099 and 0.099 < values.max() < 0.1
    assert nn.INITIALIZERS["uniform"].knobs[0].default == 0.1


def test_a_range_only_scales_and_low_high_only_shift() -> None:
    one, half = drawn("uniform", range=1.0), drawn("uniform", range=0.5)
    shifted = drawn("uniform", low=1.0, high=2.0)
    for a, b, c in zip(one, half, shifted, strict=True):
        np.testing.assert_array_equal(a.weights * 0.5, b.weights)
        np.testing.assert_array_equal(a.bias * 0.5, b.bias)
        np.testing.assert_allclose(c.weights, 1.5 + b.weights, rtol=1e-15)


@pytest.mark.parametrize(
    ("scheme", "variance"),
    [
        ("glorot_uniform", lambda n, m: 2 / (n + m)),
        ("glorot_normal", lambda n, m: 2 / (n + m)),
        ("he_uniform", lambda n, m: 2 / n),
        ("he_normal", lambda n, m: 2 / n),
        ("lecun_normal", lambda n, m: 1 / n),
    ],
)
def test_variances_follow_the_papers_and_biases_are_zero(scheme: str, variance) -> None:
    for layer, (n, m) in zip(drawn(scheme), [(12, 20), (20, 5)], strict=True):
        assert layer.weights.mean() == pytest.approx(0.0, abs=0.01)
        assert layer.weights.var() == pytest.approx(variance(n, m), rel=0.03)
        assert not layer.bias.any()
        if scheme.endswith("uniform"):
            assert np.abs(layer.weights).max() <= np.sqrt(3 * variance(n, m))


def test_normal_has_its_deviations() -> None:
    layer = drawn("normal", std=0.3, bias_std=2.0)[0]
    assert layer.weights.std() == pytest.approx(0.3, rel=0.02) and layer.bias.std() == pytest.approx(
        2.0, rel=0.03
    )
    assert drawn("normal", std=0.3)[0].bias.std() == pytest.approx(0.3, rel=0.03)


def test_orthogonal_columns_or_rows_are_orthonormal() -> None:
    wide, tall = drawn("orthogonal", gain=2.0)
    for weights, eye in ((wide.weights, np.eye(12)), (tall.weights.swapaxes(1, 2), np.eye(5))):
        np.testing.assert_allclose(
            weights @ weights.swapaxes(1, 2), np.broadcast_to(4 * eye, (400, *eye.shape)), atol=1e-13
        )


def test_runs_with_one_seed_start_alike_whatever_their_companions() -> None:
    for scheme in nn.INITIALIZERS:
        together = nn.initialize(NET, scheme, {}, SEEDS)
        alone = nn.initialize(NET, scheme, {}, SEEDS[[7]])
        np.testing.assert_array_equal(together[7], alone[0])


def test_zeros() -> None:
    assert not nn.initialize(NET, "zeros", {}, SEEDS).any()


def test_learned_alpha_starts_at_a_quarter_or_as_given() -> None:
    net = network([2, 3, 1], "prelu")
    theta = nn.initialize(net, "zeros", {}, SEEDS[:3])
    np.testing.assert_array_equal(net.unpack(theta)[0].knobs["alpha"], 0.25)
    theta = nn.initialize(net, "zeros", {}, SEEDS[:3], learned=[{"alpha": np.array([0.1, 0.2, 0.3])}, {}])
    np.testing.assert_array_equal(net.unpack(theta)[0].knobs["alpha"], [0.1, 0.2, 0.3])


def test_theta_is_weights_row_by_row_then_bias_then_alpha() -> None:
    net = network([2, 3, 1], "prelu")
    assert net.parameters == 2 * 3 + 3 + 1 + 3 + 1
    hidden, output = net.unpack(np.arange(14.0))
    np.testing.assert_array_equal(hidden.weights, [[0, 1, 2], [3, 4, 5]])
    np.testing.assert_array_equal(hidden.bias, [6, 7, 8])
    assert hidden.knobs["alpha"] == 9
    np.testing.assert_array_equal(output.weights, [[10], [11], [12]])
    np.testing.assert_array_equal(output.bias, [13])
    np.testing.assert_array_equal(
        net.pack(net.unpack(np.arange(28.0).reshape(2, 14))), np.arange(28.0).reshape(2, 14)
    )
    bare = network([2, 3, 1], "tanh", bias=False)
    assert bare.parameters == 9 and bare.unpack(np.arange(9.0))[0].bias is None
