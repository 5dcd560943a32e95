import time

import pytest

from remend.errors import WriteError
from remend.train.run.journal import Journal, Meter


def test_rows_that_will_be_learned_again_are_dropped(tmp_path):
    journal = Journal(tmp_path / "log.csv")
    for seen in (8, 16, 24):
        journal.write(seen, {"hole": 1 / seen})
    Journal(tmp_path / "log.csv", 16).write(24, {"hole": 0.5})
    assert (tmp_path / "log.csv").read_text() == "samples,hole\n8,0.125\n16,0.0625\n24,0.5\n"


def test_a_log_that_cannot_be_written_is_one_line(tmp_path):
    with pytest.raises(WriteError, match="checkpoints are whole"):
        Journal(tmp_path / "gone" / "log.csv").write(1, {"hole": 1.0})


def test_the_meter_gives_means_and_a_speed_without_pauses(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])
    lines = []
    meter = Meter(1000, lines.append)
    meter.add(10, {"hole": 1.0})
    meter.add(10, {"hole": 3.0})
    clock[0] = 7.0
    meter.leave_out(5.0)
    row = meter.take(20)
    assert row["hole"] == 2.0
    assert row["img_s"] == pytest.approx(10)
    assert lines[0].startswith("20 of 1,000  hole 2")
    assert lines[0].endswith("98 s left")


def test_new_columns_join_an_older_log(tmp_path):
    journal = Journal(tmp_path / "log.csv")
    journal.write(8, {"hole": 0.5})
    journal.write(16, {"hole": 0.25, "critic": 2.0})
    Journal(tmp_path / "log.csv", 16).write(24, {"critic": 1.0})
    assert (tmp_path / "log.csv").read_text() == "samples,hole,critic\n8,0.5,\n16,0.25,2\n24,,1\n"


def test_a_last_line_that_was_cut_off_is_dropped(tmp_path):
    (tmp_path / "log.csv").write_text("samples,hole\n8,0.5\n1")
    Journal(tmp_path / "log.csv", 100).write(16, {"hole": 0.25})
    assert (tmp_path / "log.csv").read_text() == "samples,hole\n8,0.5\n16,0.25\n"


def test_the_meter_counts_waiting_and_what_is_not_there_at_each_step(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])
    meter = Meter(1000, lambda _: None, memory=lambda: 2.5)
    meter.add(10, {"hole": 1.0, "r1": 4.0}, waited_s=0.5)
    meter.add(10, {"hole": 3.0}, waited_s=0.5)
    clock[0] = 4.0
    row = meter.take(20)
    assert (row["r1"], row["waiting"], row["memory_gib"]) == (4.0, 0.25, 2.5)
