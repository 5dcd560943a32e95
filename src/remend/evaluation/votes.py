"""Votes as the page of a study saves them: read, held together, and who did not look left out."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from remend.errors import EvaluationError

__all__ = ["SOUND", "SPOILED", "Ask", "Ballot", "Vote", "attentive", "read_ballots", "token"]

Ask = Literal["choose", "rate"]
KIND = "remend votes"
SOUND, SPOILED = "catch: sound", "catch: spoiled"
"""What the two sides of a catch trial are called, whose right answer nobody who looks can miss."""

_FAILED_SHARE = 0.25
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Vote:
    """One answer.

    Attributes:
        pair: which picture.
        left, right: tokens of methods; of a rating ``left`` is the one that was seen, ``right`` is empty.
        choice: "left", "right" or "same"; of a rating "1" (bad) to "5" (excellent).
    """

    pair: str
    left: str
    right: str
    choice: str


@dataclass(frozen=True, slots=True)
class Ballot:
    """What one person answered.

    Attributes:
        voter: a number that the page drew; it says nothing of who it is.
        votes: catch trials among them.
    """

    voter: str
    votes: tuple[Vote, ...]


def token(method: str, protocol: str) -> str:
    """What stands for a method on a blind page: the same for the same method and protocol."""
    return hashlib.sha256(f"{protocol}:{method}".encode()).hexdigest()[:12]


def read_ballots(paths: Sequence[Path], *, protocol: str, ask: Ask = "choose") -> tuple[Ballot, ...]:
    """The votes of one or more people.

    Raises:
        EvaluationError: a file cannot be read, holds no votes, votes on another protocol or answers another
            question; or one person's answer to one trial comes twice, as of a file that was given twice.
    """
    ballots: dict[str, tuple[Path, Ballot]] = {}
    for path in paths:
        content = _content(path)
        if content["protocol"] != protocol:
            raise EvaluationError(
                f"{path} votes on protocol {str(content['protocol'])[:12]}, expected {protocol[:12]}: they "
                "do not belong together"
            )
        if content["ask"] != ask:
            raise EvaluationError(
                f"{path} answers {content['ask']!r}, expected {ask!r}: count choices and ratings apart"
            )
        ballot = Ballot(content["voter"], tuple(_vote(vote, ask) for vote in content["votes"]))
        if ballot.voter in ballots:
            raise EvaluationError(
                f"{path} and {ballots[ballot.voter][0]} are of one voter, {ballot.voter}: "
                "give each person's last file, once"
            )
        met = Counter((vote.pair, *sorted((vote.left, vote.right))) for vote in ballot.votes)
        if met and max(met.values()) > 1:
            pair = met.most_common(1)[0][0][0]
            raise EvaluationError(f"{path} votes twice on {pair}: give the file as the page saved it")
        ballots[ballot.voter] = (path, ballot)
    return tuple(ballot for _, ballot in ballots.values())


def attentive(
    ballots: Sequence[Ballot], *, protocol: str
) -> tuple[tuple[Ballot, ...], dict[str, tuple[int, int]]]:
    """Ballots without their catch trials, and who is left out for having failed more than a quarter of them.

    Failed is who chose the spoiled picture or saw no difference, or rated it 3 and better.

    Returns:
        Those that count; and by voter how many catch trials were failed, of how many.
    """
    sound, spoiled = token(SOUND, protocol), token(SPOILED, protocol)
    kept, out = [], {}
    for ballot in ballots:
        caught = [vote for vote in ballot.votes if spoiled in (vote.left, vote.right)]
        failed = sum(not _passed(vote, sound) for vote in caught)
        if failed > _FAILED_SHARE * len(caught):
            out[ballot.voter] = (failed, len(caught))
        else:
            kept.append(Ballot(ballot.voter, tuple(vote for vote in ballot.votes if vote not in set(caught))))
    return tuple(kept), out


def _passed(vote: Vote, sound: str) -> bool:
    if not vote.right:
        return vote.choice in ("1", "2")
    return vote.choice == ("left" if vote.left == sound else "right")


def _content(path: Path) -> dict[str, Any]:
    """A file of votes as it must be."""
    try:
        content = json.loads(path.read_text("utf-8"))
        assert content["kind"] == KIND
        assert isinstance(content["votes"], list)
        assert _short(content["voter"]) and content["voter"].isalnum()
        assert _short(content["protocol"]) and content["ask"] in ("choose", "rate")
        for vote in content["votes"]:
            _vote(vote, content["ask"])
    except OSError as error:
        raise EvaluationError(f"{path} cannot be read ({error.strerror}): give a file of votes") from error
    except (ValueError, KeyError, TypeError, AttributeError, AssertionError) as error:
        raise EvaluationError(
            f"{path} holds no votes: give a file that the page of a study has saved"
        ) from error
    return dict(content)


def _vote(vote: dict[str, Any], ask: Ask) -> Vote:
    if ask == "rate":
        found = Vote(vote["pair"], vote["method"], "", str(vote["rating"]))
        choices: tuple[str, ...] = ("1", "2", "3", "4", "5")
    else:
        found = Vote(vote["pair"], vote["left"], vote["right"], vote["choice"])
        choices = ("left", "right", "same")
    assert found.choice in choices
    assert _short(found.pair) and _short(found.left) and isinstance(found.right, str)
    return found


def _short(text: Any) -> bool:
    return isinstance(text, str) and 0 < len(text) <= _LONGEST
