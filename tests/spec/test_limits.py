"""What a submit may ask for, told before anything is allocated."""

from spec_help import changed, refusal, resolved, training

from bpsvc import spec

WIDE = {"source": "inline", "x": [[i / 100] for i in range(1000)], "y": [[i % 2] for i in range(1000)]}


def test_data_through_a_wide_network_must_fit_into_memory() -> None:
    wide = changed(data=WIDE, network={"hidden": [1_000_000]})
    text = str(refusal(wide))
    assert "network.hidden: 1,000 examples through 1,000,001 units would take about 74.8 GiB" in text
    assert "allowed: at most 4 GiB" in text and "fewer units or examples" in text
    batches = changed(data=WIDE, network={"hidden": [1_000_000]}, training=training(batch_size=10))
    assert "1,000 examples through 1,000,001 units" in str(refusal(batches)), "records are of all examples"
    assert len(resolved(changed(data=WIDE, network={"hidden": [10_000]})).runs) == 3
    assert len(resolved(wide, limits=spec.Limits(run_bytes=2**40)).runs) == 3


def test_many_records_are_warned_of_with_the_remedy() -> None:
    (warning,) = resolved(changed(training=training(epochs=300_000))).warnings
    assert warning == (
        '900,003 records will take about 232 MB; to record less often, as in "record": {"every": "decades"}'
    )
    assert resolved(changed(training=training(epochs=100_000))).warnings == ()
    assert resolved(changed(training=training(epochs=300_000), record={"every": "decades"})).warnings == ()
