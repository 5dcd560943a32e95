import time

import pytest

from remend.errors import WriteError
from remend.train.journal import Journal, Meter


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
    assert lines[0].endswith("2 min left")
