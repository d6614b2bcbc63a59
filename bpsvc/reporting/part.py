"""What a report was narrowed to: stated on its page, in its manifest, its SQL and the name of its folder."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Part:
    """A report that is not simply about all runs of its experiments, told apart by all of their factors.

    words: what makes it so, in a few words each, such as `where seed < 2`; titles and folders have them.
    sentences: the same, with numbers, for the page.
    sql: the condition on `experiment` and `run_id` that lets its runs through; '' lets all of them through.
    asked: what was asked for, by name, for the manifest.
    """

    words: tuple[str, ...] = ()
    sentences: tuple[str, ...] = ()
    sql: str = ""
    asked: Mapping[str, object] = field(default_factory=dict)


WHOLE = Part()
