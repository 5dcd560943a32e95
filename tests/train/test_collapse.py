import json

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from remend.nets.critics import CriticOutput  # noqa: E402
from remend.train.adversarial.collapse import CollapseAlarm, readings, spread  # noqa: E402


def of(scores):
    return CriticOutput([torch.tensor(scores).view(1, 1, 1, -1)], [[]])


def test_readings_by_hand():
    hole = torch.zeros(1, 1, 8, 16)
    hole[..., :8] = 1
    read = readings(of([1.0, 3.0]), of([-2.0, 9.0]), hole)
    assert {name: float(value) for name, value in read.items()} == {
        "critic_real": 1.0,
        "critic_filled": -2.0,
        "critic_right": 1.0,
    }
    # Without the mask the known patch counts too, where the real picture scored lower.
    whole = readings(of([1.0, 3.0]), of([-2.0, 9.0]), hole, mask_as_target=False)
    assert float(whole["critic_right"]) == 0.5
    assert float(readings(of([0.4]), of([0.4]), hole)["critic_right"]) == 0.5


def test_spread_is_the_ratio_of_contrasts_in_the_holes():
    torch.manual_seed(0)
    target = torch.rand(3, 3, 16, 16)
    hole = torch.zeros(3, 1, 16, 16)
    hole[:, :, 4:12, 4:12] = 1
    assert float(spread(0.5 * target + 0.1, target, hole)) == pytest.approx(0.5, rel=1e-4)
    assert float(spread(torch.full_like(target, 0.7), target, hole)) < 1e-4
    outside = torch.where(hole > 0, target, torch.zeros(()))
    assert float(spread(outside, target, hole)) == pytest.approx(1)


def test_a_critic_that_has_won_is_said_once_in_its_patience_and_not_before():
    alarm = CollapseAlarm(patience=10)
    lines = [alarm.update(right=1.0, contrast=0.9) for _ in range(25)]
    assert [index for index, line in enumerate(lines) if line] == [9, 19]
    assert "the critic is right in 100 % of cases, 10 steps on end" in lines[9]
    assert "\n" not in lines[9]


def test_flat_fills_are_said_and_a_good_stretch_starts_the_count_again():
    alarm = CollapseAlarm(patience=5, memory=0.0)
    assert not any(alarm.update(right=0.7, contrast=0.1) for _ in range(4))
    assert alarm.update(right=0.7, contrast=0.8) is None
    assert not any(alarm.update(right=0.7, contrast=0.1) for _ in range(4))
    assert "fills have 10 % of the wanted contrast" in alarm.update(right=0.7, contrast=0.1)


def test_a_fair_game_is_silent_and_the_alarm_survives_a_checkpoint():
    alarm = CollapseAlarm(patience=3)
    assert not any(alarm.update(right=0.8, contrast=0.9) for _ in range(50))
    again = CollapseAlarm(**json.loads(json.dumps(alarm.as_dict())))
    assert again == alarm
    assert alarm.right == pytest.approx(0.8)
