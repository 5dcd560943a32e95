"""The count of votes: made raters are recovered, and what does not differ is rarely called clear."""

from itertools import combinations

import numpy as np
import pytest

from remend.errors import EvaluationError
from remend.evaluation.crossed import crossed
from remend.evaluation.preference import count, strengths
from remend.evaluation.votes import Ballot, Vote, token

PROTOCOL = "ab" * 32


def raters(
    strength: dict[str, float], *, pictures=30, voters=12, by_picture=0.8, by_voter=0.5, ties=0.1, seed=0
):
    """Voters who choose by strength, and by what a picture and their own taste add to it."""
    rng = np.random.default_rng(seed)
    of_picture = {m: rng.normal(0, by_picture, pictures) for m in strength}
    ballots = []
    for voter in range(voters):
        taste = {m: rng.normal(0, by_voter) for m in strength}
        votes = []
        for picture in range(pictures):
            for a, b in combinations(strength, 2):
                left, right = (a, b) if rng.random() < 0.5 else (b, a)
                worth = {m: strength[m] + of_picture[m][picture] + taste[m] for m in (left, right)}
                choice = "left" if rng.random() < 1 / (1 + np.exp(worth[right] - worth[left])) else "right"
                choice = "same" if rng.random() < ties else choice
                votes.append(Vote(f"p{picture}", token(left, PROTOCOL), token(right, PROTOCOL), choice))
        ballots.append(Ballot(f"v{voter}", tuple(votes)))
    return ballots


def test_made_raters_are_recovered():
    made = {"a": 0.0, "b": 0.4, "c": 1.5, "d": -0.8}
    found = count(raters(made, ties=0), list(made), protocol=PROTOCOL)
    mean = np.mean(list(made.values()))
    held = 0
    for method, value in made.items():
        strength = found.strengths[method]
        # What pictures and tastes add flattens log-odds a little.
        assert strength.value == pytest.approx(value - mean, abs=0.45)
        held += strength.low <= value - mean <= strength.high
    assert held >= 3
    ranked = sorted(made, key=lambda m: found.strengths[m].value)
    assert ranked == ["d", "a", "b", "c"]
    by_couple = {(one.first, one.second): one for one in found.preferences}
    assert by_couple["a", "c"].clear and by_couple["a", "c"].gap.low > 0.5
    assert by_couple["a", "d"].clear and by_couple["a", "d"].gap.high < 0.5
    assert (found.pictures, found.voters, found.votes) == (30, 12, 30 * 12 * 6)


def test_strengths_are_those_of_maximum_likelihood():
    optimize = pytest.importorskip("scipy.optimize")
    wins = np.random.default_rng(0).integers(1, 30, (4, 4)).astype(float)
    np.fill_diagonal(wins, 0)
    held = wins + 0.5 * (wins > 0)

    def loss(x):
        return (held * np.log1p(np.exp(x[None] - x[:, None]))).sum() + x.mean() ** 2

    outside = optimize.minimize(loss, np.zeros(4), tol=1e-10).x
    assert strengths(wins) == pytest.approx(outside, abs=1e-4)
    assert strengths(np.stack([wins, wins.T]))[1] == pytest.approx(strengths(wins.T))
    # All for one stays finite.
    assert np.isfinite(strengths(np.array([[0, 500.0], [0, 0]]))).all()


def studies(pictures: int, voters: int, *, times: int, seed: int = 0):
    """How often a study of two equal methods says "clear": by the crossed interval, and as if independent."""
    clear = independent = 0
    rng = np.random.default_rng(seed)
    for index in range(times):
        odds = rng.normal(0, 1, (pictures, 1)) + rng.normal(0, 0.5, (1, voters))
        second = (rng.random((pictures, voters)) < 1 / (1 + np.exp(-odds))).ravel()
        answers = np.stack([~second, second], axis=1).astype(float)
        at = np.mgrid[:pictures, :voters].reshape(2, -1)

        def figures(sums):
            return np.log((sums[:, 1:] + 0.5) / (sums[:, :1] + 0.5))

        spread = crossed(answers, at[0], at[1], figures, possible=np.eye(2), draws=200, seed=index)
        clear += abs(figures(answers.sum(axis=0)[None])[0, 0]) > spread.width[0] * spread.error[0]
        independent += abs(second.mean() - 0.5) > 1.96 * 0.5 / np.sqrt(second.size)
    return clear / times, independent / times


def test_false_clear_of_equal_methods():
    clear, independent = studies(40, 20, times=160)
    assert clear <= 0.07
    assert independent > 0.2, "the made voters hang together, or this would test nothing"


def test_a_true_difference_is_still_found():
    found = count(raters({"a": 0.0, "b": 0.9}, seed=3), ["a", "b"], protocol=PROTOCOL)
    (one,) = found.preferences
    assert one.clear and one.gap.low > 0.5
    assert found.strengths == {}
    assert found.lines()[-1].endswith(": clear")


def ballot(voter: str, votes) -> Ballot:
    a, b = token("a", PROTOCOL), token("b", PROTOCOL)
    sides = {"a": "left", "b": "right", "=": "same"}
    return Ballot(voter, tuple(Vote(f"p{n}", a, b, sides[chosen]) for n, chosen in enumerate(votes)))


def test_ties_count_half_to_each():
    turned = Ballot("2", (Vote("p0", token("b", PROTOCOL), token("a", PROTOCOL), "left"),))
    found = count([ballot("1", "ab==b=bb"), turned], ["a", "b"], protocol=PROTOCOL)
    (one,) = found.preferences
    assert (one.for_first, one.for_second, one.same) == (1, 5, 3)
    assert one.gap.value == pytest.approx((5 + 1.5) / 9)
    assert "b over a: 5 to 1, 3 the same, of 9: 72%" in found.lines()[-1]


def test_few_voters_speak_for_themselves_and_few_pictures_not_at_all():
    two = count([ballot("1", "b" * 20), ballot("2", "b" * 19 + "a")], ["a", "b"], protocol=PROTOCOL)
    assert two.preferences[0].clear
    assert two.lines()[-1].endswith("clear to 2 voters")
    assert "these voters alone" in two.lines()[0]
    few = count([ballot(str(n), "b" * 5) for n in range(30)], ["a", "b"], protocol=PROTOCOL)
    assert few.lines()[-1] == "b over a: 150 to 0, 0 the same, of 150: 100%: too few pictures"
    assert few.as_json()["preferences"][0]["share_of_second"] == {"value": 1.0, "low": None, "high": None}


def test_all_of_one_mind_is_not_beyond_doubt():
    found = count([ballot(str(n), "b" * 6) for n in range(6)], ["a", "b"], protocol=PROTOCOL)
    (one,) = found.preferences
    assert one.clear
    assert one.gap.low < 0.97
    assert one.gap.high == 1


def test_groups_that_never_met_have_no_common_scale():
    a, b, c, d = (token(name, PROTOCOL) for name in "abcd")
    votes = [Vote(f"p{n}", *two, "left") for n in range(8) for two in ((a, b), (c, d))]
    found = count([Ballot("1", tuple(votes))], list("abcd"), protocol=PROTOCOL)
    assert found.strengths == {}
    assert len(found.preferences) == 2


def graders(means: dict[str, float], *, pictures=30, voters=10, seed=0):
    rng = np.random.default_rng(seed)
    of_picture = rng.normal(0, 0.5, pictures)
    ballots = []
    for voter in range(voters):
        strict = rng.normal(0, 0.4)
        votes = [
            Vote(f"p{p}", token(m, PROTOCOL), "", str(int(np.clip(np.rint(v), 1, 5))))
            for p in range(pictures)
            for m, mean in means.items()
            for v in [mean + of_picture[p] + strict + rng.normal(0, 0.5)]
        ]
        ballots.append(Ballot(f"v{voter}", tuple(votes)))
    return ballots


def test_ratings_are_recovered():
    found = count(graders({"a": 3.0, "b": 3.5, "c": 2.2}), list("abc"), protocol=PROTOCOL, ask="rate")
    for method, mean in (("a", 3.0), ("b", 3.5), ("c", 2.2)):
        rating = found.strengths[method]
        assert rating.value == pytest.approx(mean, abs=0.35)
        assert rating.low < mean < rating.high
    gaps = {(one.first, one.second): one for one in found.preferences}
    assert gaps["a", "b"].clear and gaps["a", "b"].gap.value == pytest.approx(0.5, abs=0.1)
    # Strict voters are strict with all: differences are far surer than means.
    gap, mean = gaps["a", "b"].gap, found.strengths["a"]
    assert gap.high - gap.low < (mean.high - mean.low) / 2
    assert found.lines()[1].startswith("mean rating of b: 3.")
    assert "c against a: -0." in found.lines()[5]
    equal = count(graders({"a": 3.0, "b": 3.0}), list("ab"), protocol=PROTOCOL, ask="rate")
    assert equal.lines()[-1].endswith("no clear preference")


def test_what_cannot_be_counted():
    with pytest.raises(EvaluationError, match="a method that is not here"):
        count([ballot("1", "ab")], ["a"], protocol=PROTOCOL)
    with pytest.raises(EvaluationError, match="no vote to count"):
        count([], ["a", "b"], protocol=PROTOCOL)
