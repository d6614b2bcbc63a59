"""Signals while a command trains: the first asks it to end, the second ends it."""

import io
import signal
import sys
from collections.abc import Iterator

import pytest

from bpsvc.cli import habits
from bpsvc.cli.interrupts import graceful

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in SIGNALS}
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whoever tests may do so under nohup
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("first", SIGNALS)
@pytest.mark.parametrize("second", SIGNALS)
def test_the_first_signal_sets_stop_and_the_second_ends_with_its_own_code(
    first: signal.Signals, second: signal.Signals
) -> None:
    def worker() -> None:
        with graceful() as stop:
            signal.raise_signal(first)
            assert stop.is_set() and stop.signal == first
            signal.raise_signal(second)
            pytest.fail("the second signal was to end it")

    with pytest.raises(habits.Interrupted) as ended:
        habits.command("worker", worker)()
    assert ended.value.exit_code == 128 + second


def test_under_nohup_a_closed_terminal_is_nothing() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with graceful() as stop:
        signal.raise_signal(signal.SIGHUP)
        assert not stop.is_set()


def test_a_signal_may_strike_while_a_line_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    class Struck(io.RawIOBase):
        def writable(self) -> bool:
            return True

        def write(self, data: object, /) -> int:
            signal.raise_signal(signal.SIGTERM)
            return len(bytes(data))  # type: ignore[call-overload, no-any-return]

    with graceful() as stop:
        monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(io.BufferedWriter(Struck()), write_through=True))
        print("training", file=sys.stderr, flush=True)
        monkeypatch.undo()
        assert stop.is_set()
