"""The rows of the table: what is measured, against whom, and the floor that issue 3 set for each ratio."""

from dataclasses import dataclass, field

from benchmarks.cases import DEEP, DIGITS, ENCODER, WIDER, XOR, Case

OURS, JAX, SKLEARN, TORCH = "ours", "jax_peer", "sklearn_peer", "torch_peer"


@dataclass(frozen=True)
class Row:
    """`runs` seeds for `epochs` epochs on `cores` cores. `floors`: peer -> the ratio ours / peer to reach.

    Peers that train run after run do so with one run, for `solo_epochs` epochs: their time is per run.
    """

    case: Case
    runs: int
    epochs: int
    floors: dict[str, float]
    cores: int = 1
    solo_epochs: dict[str, int] = field(default_factory=lambda: {SKLEARN: 4000, TORCH: 1000})

    @property
    def peers(self) -> tuple[str, ...]:
        return tuple(self.floors)

    @property
    def name(self) -> str:
        seeds = "one run alone" if self.runs == 1 else f"{self.runs:,} seeds"
        return f"{self.case.name}, {seeds}, {'both cores' if self.cores > 1 else 'one core'}"

    def amount(self, peer: str, scale: float) -> tuple[int, int]:
        """(runs, epochs) that this peer trains for the row; `scale` shortens all of it."""
        batched = peer in (OURS, JAX)
        epochs = self.epochs if batched else self.solo_epochs[peer]
        least = self.case.every
        return self.runs if batched else 1, max(least, round(epochs * scale) // least * least)


DIGITS_SOLO = {SKLEARN: 20, TORCH: 10}

ROWS = (
    Row(XOR, 1000, 2000, {JAX: 1.2, SKLEARN: 1000.0}),
    Row(XOR, 4000, 500, {JAX: 1.2, SKLEARN: 1000.0}),
    Row(XOR, 4000, 1000, {JAX: 2.0}, cores=2),
    Row(ENCODER, 1000, 200, {JAX: 1.1}),
    Row(ENCODER, 1000, 400, {JAX: 1.5}, cores=2),
    Row(WIDER, 1000, 500, {JAX: 0.8}),
    Row(WIDER, 1000, 1000, {JAX: 1.5}, cores=2),
    Row(DEEP, 100, 400, {JAX: 0.7}),
    Row(DEEP, 1000, 200, {JAX: 0.9}),
    Row(DIGITS, 8, 60, {JAX: 1.0, SKLEARN: 6.0, TORCH: 5.0}, solo_epochs=DIGITS_SOLO),
    Row(DIGITS, 32, 20, {JAX: 1.0, SKLEARN: 6.0, TORCH: 5.0}, solo_epochs=DIGITS_SOLO),
    Row(XOR, 1, 10000, {SKLEARN: 3.0, TORCH: 20.0}),
)

# Cost against the number of seeds: XOR, so many epochs each.
SEEDS = {1: 5000, 10: 5000, 100: 5000, 1000: 1000, 3000: 300, 10000: 100, 30000: 50}
