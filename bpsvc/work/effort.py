"""What recording costs: the time spent on training, and on writing its records."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Effort:
    """Seconds of computing (summed over processes), seconds of writing, and how many values were written."""

    computing_s: float = 0.0
    writing_s: float = 0.0
    values: int = 0

    def __add__(self, other: "Effort") -> "Effort":
        return Effort(
            self.computing_s + other.computing_s,
            self.writing_s + other.writing_s,
            self.values + other.values,
        )
