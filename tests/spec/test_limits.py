"""What a submit may ask for, told before anything is allocated."""

from spec_help import changed, refusal, resolved, training

from bpsvc import spec
from bpsvc.spec.limits import working_bytes

WIDE = {"source": "inline", "x": [[i / 100] for i in range(1000)], "y": [[i % 2] for i in range(1000)]}


def test_the_memory_of_one_run_is_counted_in_whole_numbers() -> None:
    assert working_bytes(9, 2, 3, 4, None) == 8 * (8 + 36 + 36)
    assert working_bytes(9, 2, 3, 4, 1) == 8 * (8 + 36 + 9)
    assert working_bytes(10**12, 10**9, 10**9, 10**12, None) > 10**22  # no float, no overflow


def test_data_through_a_wide_network_must_fit_into_memory() -> None:
    wide = changed(data=WIDE, network={"hidden": [1_000_000]})
    text = str(refusal(wide))
    assert "training.batch_size: 1,000 examples through 1,000,001 units would take about 22.4 GiB" in text
    assert "allowed: at most 4 GiB" in text and "a smaller batch, or fewer units" in text
    small = changed(data=WIDE, network={"hidden": [1_000_000]}, training=training(batch_size=10))
    assert len(resolved(small).runs) == 3
    assert len(resolved(wide, limits=spec.Limits(run_bytes=2**40)).runs) == 3


def test_many_records_are_warned_of_with_the_remedy() -> None:
    (warning,) = resolved(changed(training=training(epochs=300_000))).warnings
    assert warning == (
        '900,003 records will take about 232 MB; to record less often, as in "record": {"every": "decades"}'
    )
    assert resolved(changed(training=training(epochs=100_000))).warnings == ()
    assert resolved(changed(training=training(epochs=300_000), record={"every": "decades"})).warnings == ()
