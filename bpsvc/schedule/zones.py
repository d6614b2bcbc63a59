"""Time zones by their IANA names, and nothing else: an offset or an abbreviation does not say when its
clocks change.
"""

from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from bpsvc.errors import UsageError
from bpsvc.registry import did_you_mean

# Names that a system's zone folder holds and that mean something else on every machine, or nothing.
_NOT_ZONES: Final = frozenset({"localtime", "posixrules", "Factory"})


def zone(name: str) -> ZoneInfo:
    """The zone of an IANA name such as `Europe/Berlin`; `UTC` is one.

    Raises:
        UsageError: there is no such zone; with the closest name.
    """
    if name in _known():
        return ZoneInfo(name)
    by_small = {known.lower(): known for known in _known()}
    by_small |= {
        known.lower().rsplit("/", 1)[-1]: known for known in sorted(_known(), reverse=True) if "/" in known
    }
    small = name.lower().replace(" ", "_")
    meant = (
        f"did you mean {by_small[small]!r}?" if small in by_small else did_you_mean(name, sorted(_known()))
    )
    raise UsageError(
        "there is no such time zone",
        value=name[:80],
        allowed="IANA names, such as Europe/Berlin, America/New_York or UTC",
        remedy=meant,
    )


@cache
def _known() -> frozenset[str]:
    return frozenset(available_timezones()) - _NOT_ZONES
