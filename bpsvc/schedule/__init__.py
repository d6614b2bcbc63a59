"""When schedules fire and what is then to be done: pure functions of expression, zone, time and rules.
Nothing here has a clock.
"""

from bpsvc.schedule.cron import Cron, parse
from bpsvc.schedule.decisions import GRACE, Decision, Kind, Missed, Overlap, Rules, decide, late
from bpsvc.schedule.occurrences import following, occurrences
from bpsvc.schedule.preview import Showing, preview
from bpsvc.schedule.zones import zone

__all__ = [
    "GRACE",
    "Cron",
    "Decision",
    "Kind",
    "Missed",
    "Overlap",
    "Rules",
    "Showing",
    "decide",
    "following",
    "late",
    "occurrences",
    "parse",
    "preview",
    "zone",
]
