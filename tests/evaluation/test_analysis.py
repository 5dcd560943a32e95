"""Tables: which pictures they are over, by bucket, and paired differences."""

import numpy as np
import pytest

from remend.evaluation.analysis import ALL, analyse
from remend.evaluation.scores import Score


def scores(method: str, values, *, bucket=lambda i: ".1–.2", failed=()) -> list[Score]:
    return [
        Score(f"p{i:02}", method, 0.15, 0.1, {"psnr_hole": float(v)}, 0, buckets=(bucket(i), "border"))
        if i not in failed
        else Score(f"p{i:02}", method, 0.15, error="no", buckets=(bucket(i), "border"))
        for i, v in enumerate(values)
    ]


def test_pairing_sees_what_separate_intervals_do_not():
    rng = np.random.default_rng(0)
    hard = rng.normal(20, 5, size=30)  # pictures differ much more than methods
    first, second = hard + rng.normal(0, 0.1, 30), hard + 0.3 + rng.normal(0, 0.1, 30)
    found = analyse([*scores("a", first), *scores("b", second)], ["a", "b"], ["psnr_hole"])
    means = found.groups[0].means
    assert means["a"]["psnr_hole"].high > means["b"]["psnr_hole"].low
    (difference,) = found.differences
    gap = difference.by_metric["psnr_hole"]
    assert (difference.first, difference.second, difference.bucket) == ("a", "b", ALL)
    assert gap.clear
    assert gap.low < 0.3 < gap.high
    assert gap.value == pytest.approx(np.mean(second - first))


def test_no_difference_is_not_clear():
    rng = np.random.default_rng(1)
    found = analyse(
        [*scores("a", rng.normal(size=30)), *scores("b", rng.normal(size=30))], ["a", "b"], ["psnr_hole"]
    )
    assert not found.differences[0].by_metric["psnr_hole"].clear


def test_only_buckets_with_pictures_and_only_common_pairs():
    kinds = lambda i: ".1–.2" if i < 8 else "> .6"  # noqa: E731
    found = analyse(
        [
            *scores("a", range(12), bucket=kinds, failed=(0,)),
            *scores("b", range(12), bucket=kinds),
            *scores("never", range(12), bucket=kinds, failed=range(12)),
        ],
        ["a", "b", "never"],
        ["psnr_hole"],
        buckets=True,
    )
    assert [(g.bucket, g.pictures) for g in found.groups] == [
        (ALL, 11),
        (".1–.2", 7),
        ("> .6", 4),
        ("border", 11),
    ]
    assert found.groups[1].means["b"]["psnr_hole"].value == pytest.approx(np.mean(range(1, 8)))
    assert "never" not in found.groups[0].means
    assert np.isnan(found.groups[2].means["a"]["psnr_hole"].low)  # four are too few
    assert {d.bucket for d in found.differences} == {ALL, ".1–.2", "> .6", "border"}


def test_against_one_method():
    rows = [s for name in "abc" for s in scores(name, range(7))]
    found = analyse(rows, list("abc"), ["psnr_hole"], against="b")
    assert [(d.first, d.second) for d in found.differences] == [("b", "a"), ("b", "c")]


def test_nothing_at_all():
    found = analyse(scores("a", range(3), failed=range(3)), ["a"], ["psnr_hole"])
    assert found.groups[0].pictures == 0
    assert found.differences == ()
