"""Numbers in sentences."""


def plural(count: int, noun: str) -> str:
    """`1 run`, `1,000 runs`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
