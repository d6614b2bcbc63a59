"""Counter-based draws: pinned, and a function of (seed, purpose, which, index) alone."""

import numpy as np

from bpsvc import draws


def test_the_generator_is_splitmix64() -> None:
    """The first outputs for seed 1234567, as published with the algorithm's reference implementation."""
    golden = 0x9E3779B97F4A7C15
    words = np.array([(1234567 + k * golden) % 2**64 for k in range(1, 6)], dtype=np.uint64)
    assert [int(word) for word in draws._mix(words)] == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


def test_golden_values() -> None:
    """Changing any of these is a new numerics version."""
    assert draws.bits([0, 1, 2**63], draws.WEIGHTS, 0, 3).tolist() == [
        [15114123258453576503, 4672125198739041305, 15771947744729278158],
        [14512240895448352642, 10269281875940801212, 14027734285201137079],
        [16288794686239775786, 5748186984481713636, 8457033194533750008],
    ]
    assert draws.bits([7], draws.ORDER, 123456, 2).tolist() == [[13677459147656123626, 8419877784537308390]]
    assert draws.uniform([0, 1], draws.WEIGHTS, 1, 3).tolist() == [
        [0.9790978530853444, 0.27490787794451577, 0.9528292702495847],
        [0.24463888341219708, 0.38217645809955214, 0.11745699474471727],
    ]
    assert draws.permutation([0, 1, 2], draws.ORDER, 5, 8).tolist() == [
        [5, 1, 2, 6, 0, 7, 4, 3],
        [5, 0, 7, 3, 6, 1, 4, 2],
        [0, 4, 1, 5, 3, 7, 2, 6],
    ]
    # sine and logarithm may differ in the last bit between processors
    np.testing.assert_allclose(
        draws.normal([0, 1], draws.WEIGHTS, 0, 3),
        [
            [-0.03808065336463843, 0.7699920594453334, -0.8867065337941054],
            [-1.6475223621493098, -1.4158209373715136, -0.6274591483847402],
        ],
        rtol=1e-14,
    )


def test_a_draw_does_not_depend_on_its_companions_or_on_how_many_are_drawn() -> None:
    seeds = np.array([5, 0, 2**64 - 1, 17], dtype=np.uint64)
    for draw in (draws.bits, draws.uniform, draws.normal):
        together = draw(seeds, draws.WEIGHTS, 3, 50)
        for k, seed in enumerate(seeds):
            np.testing.assert_array_equal(together[k], draw([seed], draws.WEIGHTS, 3, 50)[0])
            np.testing.assert_array_equal(together[k, :7], draw([seed], draws.WEIGHTS, 3, 7)[0])
    for draw in (draws.bits, draws.uniform):
        np.testing.assert_array_equal(
            draw(seeds, draws.WEIGHTS, 3, 50)[:, 20:], draw(seeds, draws.WEIGHTS, 3, 30, 20)
        )


def test_seed_purpose_and_which_all_matter() -> None:
    base = draws.bits([1], 1, 1, 4).tolist()
    assert base not in (draws.bits([2], 1, 1, 4).tolist(), draws.bits([1], 2, 1, 4).tolist())
    assert base != draws.bits([1], 1, 2, 4).tolist()
    assert draws.bits([1], 2, 1, 4).tolist() != draws.bits([2], 1, 1, 4).tolist()


def test_moments_and_orders() -> None:
    seeds = np.arange(2000, dtype=np.uint64)
    u, n = draws.uniform(seeds, draws.WEIGHTS, 0, 50), draws.normal(seeds, draws.WEIGHTS, 0, 50)
    assert u.min() >= 0.0 and u.max() < 1.0
    np.testing.assert_allclose([u.mean(), u.var(), n.mean(), n.var()], [0.5, 1 / 12, 0.0, 1.0], atol=0.01)
    assert (
        abs(np.corrcoef(u[:, 0], u[:, 1])[0, 1]) < 0.06 and abs(np.corrcoef(u[:-1, 0], u[1:, 0])[0, 1]) < 0.06
    )
    orders = draws.permutation(seeds, draws.ORDER, 0, 4)
    np.testing.assert_array_equal(np.sort(orders, axis=1), np.broadcast_to(np.arange(4), orders.shape))
    np.testing.assert_allclose([(orders[:, 0] == k).mean() for k in range(4)], 0.25, atol=0.04)
