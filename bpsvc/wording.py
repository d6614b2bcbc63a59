"""Numbers in sentences."""


def plural(count: int, noun: str) -> str:
    """`1 run`, `1,000 runs`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def decimal(value: float, digits: int = 2) -> str:
    """0.50, −0.03, and 0.00 whatever the sign of what is rounded away."""
    return f"{round(value, digits) + 0.0:.{digits}f}".replace("-", "−")
