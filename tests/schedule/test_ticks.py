"""The tick: what is due is decided once, and what is wrong then is that occurrence's outcome."""

import json
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from schedule_building import BEGIN, TABLE, TINY, Add, decided, end_all

from bpsvc.errors import NotFoundError, SpecError, UsageError
from bpsvc.service import agenda, attending, scheduling, working
from bpsvc.store import Receipt, Step, Store

DAY = timedelta(days=1)


def tick(store: Store, days: float) -> list[tuple[str, str]]:
    """What a tick so many days after the beginning decides: (decision, detail)."""
    return [(h.decision, h.detail) for h in scheduling.tick(store, now=BEGIN + days * DAY)]


def seeds(store: Store, experiment: str) -> list[int]:
    return sorted(store.runs(experiment)["seed"])


def test_each_occurrence_is_submitted_when_it_is_due(store: Store, add: Add) -> None:
    add()
    assert tick(store, 0.05) == []
    assert tick(store, 0.1) == [("submitted", "tiny@1")]
    assert tick(store, 0.1) == []
    end_all(store)
    assert tick(store, 1.1) == [("submitted", "tiny@2")]
    assert decided(store) == [
        ("2026-03-01T02:00:00.000Z", "submitted"),
        ("2026-03-02T02:00:00.000Z", "submitted"),
    ]


def test_seeds_go_on_where_they_ended(store: Store, add: Add) -> None:
    add({**TINY, "seeds": [7, 3]})
    for day in range(3):
        tick(store, day + 0.1)
        end_all(store)
    assert [seeds(store, f"tiny@{n}") for n in (1, 2, 3)] == [[3, 7], [8, 9], [10, 11]]


@pytest.mark.parametrize(
    ("given", "first", "second"),
    [
        (None, {"first": 10, "count": 10}, {"first": 20, "count": 10}),
        (30, {"first": 30, "count": 30}, {"first": 60, "count": 30}),
        ({"first": 5, "count": 2}, {"first": 7, "count": 2}, {"first": 9, "count": 2}),
        ({"count": 2}, {"first": 2, "count": 2}, {"first": 4, "count": 2}),
        ([7, 3, 9], {"first": 10, "count": 3}, {"first": 13, "count": 3}),
    ],
)
def test_blocks_of_seeds_do_not_meet(given: object, first: object, second: object) -> None:
    assert scheduling.next_seeds(given, 0) is None
    assert scheduling.next_seeds(given, 1) == {"seeds": first}
    assert scheduling.next_seeds(given, 2) == {"seeds": second}


def test_nothing_fresh_trains_nothing_again(store: Store, add: Add) -> None:
    add(fresh="none")
    tick(store, 0.1)
    end_all(store)
    assert tick(store, 1.1) == [("submitted", "tiny@1")]
    assert store.query("SELECT new_runs FROM occurrences ORDER BY instant").rows == [(2,), (0,)]


def test_a_file_is_read_again_and_a_missing_or_broken_one_is_the_outcome(
    store: Store, add: Add, tmp_path: Path
) -> None:
    table = tmp_path / "table.csv"
    table.write_text("a,b,y\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n")
    assert add(TABLE, overlap="allow").plan.fresh == "data"
    assert tick(store, 0.1) == [("submitted", "table@1")]
    assert tick(store, 1.1) == [("submitted", "table@1")]
    table.write_text("a,b,y\n0,0,1\n0,1,1\n1,0,1\n1,1,0\n")
    assert tick(store, 2.1) == [("submitted", "table@2")]
    table.write_text("a,b,y\n0,0,1\n0,1,x\n1,0,1\n1,1,0,5\n")
    ((decision, why),) = tick(store, 3.1)
    assert decision == "rejected"
    assert "table.csv" in why
    assert '"data"' not in why, "no excerpt of the spec"
    assert "\n" not in why and "; " in why, "the remedy is parted from what is wrong in the same line"
    table.unlink()
    ((decision, why),) = tick(store, 4.1)
    assert decision == "rejected"
    assert "table.csv" in why
    assert tick(store, 4.2) == []
    table.write_text("a,b,y\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n")
    assert tick(store, 5.1) == [("submitted", "table@1")]
    rows = store.query(
        "SELECT decision, why IS NULL, experiment, new_runs FROM occurrences ORDER BY instant"
    ).rows
    assert [row[0] for row in rows] == ["submitted"] * 3 + ["rejected"] * 2 + ["submitted"]
    assert [row[1] for row in rows] == [1, 1, 1, 0, 0, 1]
    assert [row[3] for row in rows] == [2, 0, 2, None, None, 0]


@pytest.mark.parametrize("fresh", ["seeds", "none"])
def test_a_file_that_is_not_to_be_fresh_is_kept(store: Store, add: Add, tmp_path: Path, fresh: str) -> None:
    table = tmp_path / "table.csv"
    table.write_text("a,b,y\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n")
    add(TABLE, overlap="allow", fresh=fresh)
    table.unlink()
    (tmp_path / "table.json").unlink()
    for day in range(2):
        assert [d for d, _ in tick(store, day + 0.1)] == ["submitted"]
    assert len(store.datasets()) == 1
    assert len(store.runs()) == (4 if fresh == "seeds" else 2)


def test_the_spec_is_frozen_when_added(store: Store, add: Add, tmp_path: Path) -> None:
    add(overlap="allow")
    (tmp_path / "tiny.json").write_text("{}")
    assert tick(store, 0.1) == [("submitted", "tiny@1")]


def test_runs_that_go_on_make_the_next_occurrence_wait_or_be_skipped(store: Store, add: Add) -> None:
    add()
    tick(store, 0.1)
    assert tick(store, 1.1) == [("skipped_overlap", "runs of an earlier occurrence had not ended")]
    end_all(store)
    assert tick(store, 2.1) == [("submitted", "tiny@2")]


def test_downtime_is_made_up_for_as_the_schedule_says(store: Store, add: Add) -> None:
    add()
    add({**TINY, "name": "every"}, missed="all", overlap="allow")
    add({**TINY, "name": "never"}, missed="skip")
    happened = list(scheduling.tick(store, now=BEGIN + 3.3 * DAY))
    by_name = {
        name: [h.decision for h in happened if h.schedule == name] for name in ("tiny", "every", "never")
    }
    assert by_name == {
        "tiny": ["skipped_misfire"] * 3 + ["submitted"],
        "every": ["submitted"] * 4,
        "never": ["skipped_misfire"] * 4,
    }
    assert len(store.runs("every@4")) == 2


def test_all_with_overlap_skip_takes_turns(store: Store, add: Add) -> None:
    add(missed="all")
    assert tick(store, 2.5) == [("submitted", "tiny@1")]
    assert tick(store, 2.5) == []
    end_all(store)
    assert tick(store, 2.5) == [("submitted", "tiny@2")]
    end_all(store)
    assert tick(store, 2.5) == [("submitted", "tiny@3")]
    end_all(store)
    assert tick(store, 2.5) == []


def test_a_long_absence_is_recorded_in_several_transactions(store: Store, add: Add) -> None:
    add(cron="*/20 * * * *", fresh="none")
    happened = tick(store, 45)
    assert len(happened) == 45 * 72
    assert {decision for decision, _ in happened[:-1]} == {"skipped_misfire"}
    assert happened[-1] == ("submitted", "tiny@1")


def test_a_clock_that_is_set_back_decides_nothing_twice(store: Store, add: Add) -> None:
    add(overlap="allow")
    assert len(tick(store, 5.1)) == 6
    cursor = store.schedules.get("tiny").cursor
    assert tick(store, 2.1) == tick(store, -100) == []
    assert store.schedules.get("tiny").cursor == cursor
    assert tick(store, 6.1) == [("submitted", "tiny@2")]


def test_a_pause_records_what_it_skips(store: Store, add: Add) -> None:
    add()
    assert store.schedules.pause("tiny")
    assert not store.schedules.pause("tiny")
    assert tick(store, 1.5) == [("skipped_misfire", "the schedule was paused")] * 2
    assert scheduling.resume(store, "tiny")  # the database's own time is later
    assert not scheduling.resume(store, "tiny")
    assert {decision for _, decision in decided(store)} == {"skipped_misfire"}
    assert not store.schedules.get("tiny").paused


def test_of_two_schedulers_one_prevails(store: Store, add: Add) -> None:
    add()
    late = BEGIN + 0.1 * DAY
    found = store.schedules.get("tiny")
    steps = [scheduling._step(store, found, late) for _ in range(2)]
    assert steps[0] is not None
    assert steps[1] is not None
    assert isinstance(store.schedules.decide(found, steps[0]), Receipt)
    assert store.schedules.decide(found, steps[1]) is False
    assert len(store.runs()) == 2
    assert len(decided(store)) == 1


def test_a_scheduler_that_sees_further_does_not_decide_anew(store: Store, add: Add) -> None:
    add(fresh="none", overlap="allow")
    found = store.schedules.get("tiny")
    near, far = (scheduling._step(store, found, BEGIN + days * DAY) for days in (0.1, 1.1))
    assert near is not None
    assert far is not None
    assert store.schedules.decide(found, near)
    assert store.schedules.decide(found, far) is False
    assert len(decided(store)) == 1
    assert tick(store, 1.1) == [("submitted", "tiny@1")]


@pytest.mark.parametrize("change", ["pause", "remove", "busy", "block"])
def test_a_decision_falls_when_the_schedule_has_changed(store: Store, add: Add, change: str) -> None:
    add(fresh="none" if change == "busy" else "seeds")
    found = store.schedules.get("tiny")
    step = scheduling._step(store, found, BEGIN + 0.1 * DAY)
    assert step is not None
    if change == "pause":
        store.schedules.pause("tiny")
    elif change == "remove":
        store.schedules.remove("tiny")
    else:
        scheduling.fire(store, "tiny")
        if change == "block":
            end_all(store)
    before = len(store.runs())
    assert store.schedules.decide(found, step) is False
    assert len(store.runs()) == before
    assert decided(store) == []


def test_the_cursor_never_moves_back(store: Store, add: Add) -> None:
    add()
    found = store.schedules.get("tiny")
    back = Step([(BEGIN - DAY, "skipped_misfire", "because")])
    assert store.schedules.decide(found, back) is False
    assert store.schedules.decide(found, Step([(BEGIN, "skipped_misfire", "because")])) is False
    assert store.schedules.get("tiny").cursor == BEGIN


def test_run_now_is_an_occurrence_beside_the_plan(store: Store, add: Add) -> None:
    before = add().cursor
    assert scheduling.fire(store, "tiny").experiment == "tiny@1"
    assert scheduling.fire(store, "tiny").experiment == "tiny@2"
    assert store.schedules.get("tiny").cursor == before
    assert store.query("SELECT planned, decision, experiment FROM occurrences ORDER BY instant").rows == [
        (0, "submitted", "tiny@1"),
        (0, "submitted", "tiny@2"),
    ]
    end_all(store)
    assert tick(store, 0.1) == [("submitted", "tiny@3")]


def test_removing_keeps_what_was_submitted(store: Store, add: Add) -> None:
    add()
    tick(store, 0.1)
    store.schedules.remove("tiny")
    assert store.query("SELECT * FROM occurrences").rows == []
    assert len(store.runs("tiny@1")) == 2
    add()


def test_a_schedule_that_this_machine_cannot_understand_does_not_stop_the_others(
    store: Store, add: Add
) -> None:
    add({**TINY, "name": "a"}, overlap="allow")
    add({**TINY, "name": "b"}, overlap="allow")
    with store._writing() as connection:
        connection.exec_driver_sql("UPDATE _schedule SET timezone = 'Mars/Olympus' WHERE name = 'a'")
    happened = list(scheduling.tick(store, now=BEGIN + 0.1 * DAY))
    assert [(h.schedule, h.decision) for h in happened] == [("a", "undecided"), ("b", "submitted")]
    assert "Mars/Olympus" in happened[0].detail


def test_what_cannot_be_scheduled_stores_nothing(store: Store, add: Add, tmp_path: Path) -> None:
    wrong = [
        ({"cron": "61 * * * *"}, UsageError, "minute"),
        ({"cron": "0 0 30 2 *"}, UsageError, "never fires"),
        ({"timezone": "Europe/Berln"}, UsageError, "Europe/Berlin"),
        ({"fresh": "data"}, UsageError, "not read from a file"),
        ({"name": "a\nb"}, UsageError, "printable"),
        ({"name": " "}, UsageError, "printable"),
        ({"document": {**TINY, "training": {"epochs": 4}}}, SpecError, "learning_rate"),
    ]
    for request, error, words in wrong:
        with pytest.raises(error, match=words):
            add(**request)
    assert store.schedules.all() == []
    add()
    with pytest.raises(UsageError, match="already"):
        add()
    with pytest.raises(NotFoundError, match="did you mean 'tiny'"):
        store.schedules.get("tny")
    for command in (store.schedules.pause, store.schedules.resume, store.schedules.remove):
        with pytest.raises(NotFoundError):
            command("other")


def test_what_is_public_is_documented_data(store: Store, add: Add) -> None:
    add(report=Path("somewhere"))
    ((cron, zone, fresh, paused, until, report, spec),) = store.query(
        "SELECT cron, timezone, fresh, paused, decided_until, report, spec FROM schedules"
    ).rows
    assert (cron, zone, fresh, paused) == ("0 2 * * *", "UTC", "seeds", 0)
    assert until == "2026-03-01T00:00:00.000Z"
    assert Path(report).is_absolute()
    assert json.loads(spec) == TINY


def test_a_pause_of_months_is_recorded_to_its_end(
    store: Store, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduling, "_BATCH", 3)
    monkeypatch.setattr(scheduling, "_ROUNDS", 2)
    now = store.schedules.get(add(missed="all", overlap="allow").plan.name).now
    store.schedules.pause("tiny")
    with store._writing() as connection:
        before = (now - 20 * DAY).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        connection.exec_driver_sql("UPDATE _schedule SET cursor = ?", (before,))
    assert scheduling.resume(store, "tiny")
    assert [decision for _, decision in decided(store)] == ["skipped_misfire"] * 20
    assert list(scheduling.tick(store)) == []


def test_a_removed_experiment_leaves_its_occurrence(store: Store, add: Add) -> None:
    add()
    tick(store, 0.1)
    with store._writing() as connection:
        connection.exec_driver_sql("DELETE FROM _experiment")
    assert [(n.what, n.detail) for n in attending.attend(store, now=BEGIN + 0.2 * DAY)] == []
    assert store.query("SELECT decision, experiment, ended_at IS NULL FROM occurrences").rows == [
        ("submitted", None, 0)
    ]
    assert tick(store, 1.1) == [("submitted", "tiny@1")]


def test_what_has_ended_is_settled_once(store: Store, add: Add) -> None:
    expect = [{"metric": "solved", "statistic": "mean", "at_least": 0.0}]
    add({**TINY, "expect": expect})
    assert [n.what for n in attending.attend(store, now=BEGIN + 0.1 * DAY)] == ["submitted"]
    assert list(attending.attend(store, now=BEGIN + 0.2 * DAY)) == []
    end_all(store)
    (news,) = attending.attend(store, now=BEGIN + 0.3 * DAY)
    assert (news.what, news.detail, news.bad) == ("ended", "tiny@1", False)
    assert list(attending.attend(store, now=BEGIN + 0.4 * DAY)) == []
    assert store.query("SELECT ended_at, met FROM occurrences").rows == [("2026-03-01T07:12:00.000Z", 1)]


def test_an_occurrence_of_no_epochs_ends_when_its_runs_have_begun(store: Store, add: Add) -> None:
    add({**TINY, "training": {"learning_rate": 1, "epochs": 0}})
    tick(store, 0.1)
    assert list(attending.attend(store, now=BEGIN + 0.2 * DAY)) == []
    working.train(store, processes=1)
    assert [n.what for n in attending.attend(store, now=BEGIN + 0.3 * DAY)] == ["ended"]


def test_a_schedule_of_an_unknown_zone_is_listed(store: Store, add: Add) -> None:
    add()
    with store._writing() as connection:
        connection.exec_driver_sql("UPDATE _schedule SET timezone = 'Mars/Olympus'")
    _, ((*_, following, _last),) = agenda.listed(store)
    assert following == "unknown here"


@pytest.mark.slow
def test_leaving_does_not_wait_for_all_that_is_still_to_be_done(store: Store, add: Add) -> None:
    for name in ("one", "two", "three"):
        add({**TINY, "name": name})
    told: list[str] = []
    first, go_on = threading.Event(), threading.Event()

    def tell(line: str) -> None:
        told.append(line)
        first.set()
        go_on.wait()

    at_last = threading.Timer(30, go_on.set)
    at_last.start()
    with attending.attending(store, tell, clock=lambda: BEGIN + DAY):
        assert first.wait(30)
    assert not go_on.is_set(), "what takes long is not waited for"
    at_last.cancel()
    go_on.set()
    for thread in threading.enumerate():
        if thread.name == "schedules":
            thread.join(30)
    assert len(told) == 1, "and nothing more is begun"
