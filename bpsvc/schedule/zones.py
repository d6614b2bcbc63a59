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
    cities = {known.rsplit("/", 1)[-1].lower(): known for known in sorted(_known(), reverse=True)}
    written = name.lower().replace(" ", "_")
    raise UsageError(
        "there is no such time zone",
        value=name[:80],
        allowed="IANA names, such as Europe/Berlin, America/New_York or UTC",
        remedy=did_you_mean(cities.get(written, written), sorted(_known())),
    )


@cache
def _known() -> frozenset[str]:
    return frozenset(available_timezones()) - _NOT_ZONES
