"""The section `seeds`: replicates."""

from collections.abc import Sequence
from typing import Annotated, Any, Final, Self

from pydantic import Field, model_validator

from bpsvc.spec.base import MAX_SEED, Checked, Frozen, Seed, complain, complain_at
from bpsvc.spec.choices import kind


class SeedBlock(Frozen):
    """Consecutive seeds."""

    first: Seed = 0
    """The first seed."""
    count: int = Field(ge=1)
    """How many."""

    @model_validator(mode="after")
    def _last(self) -> Self:
        last = self.first + self.count - 1
        if last > MAX_SEED:
            raise complain(f"the last seed would be {last:,}", allowed=f"at most {MAX_SEED:,}")
        return self


DEFAULT_SEEDS: Final = 10


def values_of(seeds: SeedBlock | tuple[int, ...]) -> Sequence[int]:
    """The seeds, in order."""
    return range(seeds.first, seeds.first + seeds.count) if isinstance(seeds, SeedBlock) else seeds


def seeds_of(value: Any) -> SeedBlock | tuple[int, ...]:
    """`30`, `[3, 7]` or `{"first": 0, "count": 30}`: the validator of seeds. Raises ValueError."""
    if isinstance(value, SeedBlock):
        return value
    if isinstance(value, dict):
        return SeedBlock.model_validate(value)
    if isinstance(value, (list, tuple)):
        return _seed_list(value)
    if type(value) is not int:
        given = f"{value}" if isinstance(value, float) else kind(value)
        raise complain(
            f"this is {given}", allowed='how many (30), which ([3, 7]), or {"first": 0, "count": 30}'
        )
    if not 1 <= value <= MAX_SEED:
        raise complain(f"{value} seeds are no runs", allowed="1 or more", remedy="to name a single seed: [0]")
    return SeedBlock(first=0, count=value)


def _seed_list(value: Sequence[Any]) -> tuple[int, ...]:
    seen: set[int] = set()
    for index, seed in enumerate(value):
        if type(seed) is not int or not 0 <= seed <= MAX_SEED:
            given = seed if isinstance(seed, (int, float)) and not isinstance(seed, bool) else kind(seed)
            raise complain_at(
                (index,), complain(f"{given} is no seed", allowed="whole numbers, 0 or more"), seed
            )
        if seed in seen:
            raise complain_at((index,), complain(f"the seed {seed} appears twice"), seed)
        seen.add(seed)
    if not seen:
        raise complain("no seeds are no runs", allowed="at least one seed")
    return tuple(value)


Seeds = Annotated[
    SeedBlock | tuple[int, ...],
    Checked(seeds_of, lambda: Annotated[int, Field(ge=1)] | SeedBlock | list[Seed]),
]
