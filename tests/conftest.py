"""What every test may count on: the same examples each time, and an environment that says nothing."""

import os
import signal

import pytest
from hypothesis import HealthCheck, settings

# The same examples each time, however busy the machine is. `--hypothesis-profile=default` looks for new ones.
settings.register_profile(
    "steady", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("steady")

SAYING = ("BPSVC_DB", "BPSVC_FAULT", "COLUMNS", "FORCE_COLOR", "LINES", "NO_COLOR", "PYTHONIOENCODING")


def pytest_configure(config: pytest.Config) -> None:
    """Before anything is imported or started: what a shell says of stores and terminals is not for tests, nor
    that Ctrl-C is not for those whom it started in the background.
    """
    for name in SAYING:
        os.environ.pop(name, None)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
