"""What all members of a federation agree on, as one JSON text that the leader sends to each."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from remend.errors import UsageError
from remend.train.config import Recipe, as_dict, from_dict

__all__ = ["Terms"]


@dataclass(frozen=True, slots=True)
class Terms:
    """How a federation learns.

    Attributes:
        recipe: net, losses, rates. Its ``train.samples`` are what one member sees in all rounds.
        rounds: how often members' weights are averaged.
        prox: weight of FedProx's pull towards the common weights; 0 = FedAvg.
        secagg: updates are masked (SecAgg+), so that the leader sees their sum alone.
        noise: noise of differential privacy, in units of ``clip``; 0 = none.
        clip: largest norm of one picture's gradient, with noise.
        delta: of the (ε, δ) that is told.
    """

    recipe: Recipe
    rounds: int = 5
    prox: float = 0.0
    secagg: bool = False
    noise: float = 0.0
    clip: float = 1.0
    delta: float = 1e-5

    def __post_init__(self) -> None:
        if self.rounds < 1 or self.prox < 0 or self.noise < 0 or not self.clip > 0 or not 0 < self.delta < 1:
            raise UsageError(
                "a federation has a round at least, prox and noise of 0 and more, clip above 0 and delta "
                f"between 0 and 1, got rounds {self.rounds}, prox {self.prox:g}, noise {self.noise:g}, "
                f"clip {self.clip:g}, delta {self.delta:g}"
            )
        if self.recipe.critic.name or self.recipe.tasks.weights():
            raise UsageError("a federation learns a net alone: leave critic and tasks out of the recipe")
        if self.noise and set(self.recipe.loss.weights()) != {"hole_db"}:
            raise UsageError(
                "with noise a picture's gradient must be its own, so hole_db is the one loss that may have a "
                "weight: --set loss.hole=0 --set loss.ring=0 --set loss.perceptual=0 --set loss.hole_db=0.006"
            )

    @property
    def samples(self) -> int:
        """That a member sees in a round: whole batches."""
        batch = self.recipe.train.batch
        return max(1, self.recipe.train.samples // self.rounds // batch) * batch

    def alone(self) -> Terms:
        """The same for one member without others: one round of all samples."""
        return replace(self, rounds=1, prox=0.0, secagg=False)

    def for_members(self) -> Terms:
        """The same without what is the leader's own: where the weights lay that it began with."""
        return self._beginning_with("")

    def with_own_files(self) -> Terms:
        """The same, for a process that is started in another folder."""
        weights = self.recipe.transfer.weights
        return self._beginning_with(str(Path(weights).resolve())) if Path(weights).exists() else self

    def _beginning_with(self, weights: str) -> Terms:
        transfer = replace(self.recipe.transfer, weights=weights)
        return replace(self, recipe=replace(self.recipe, transfer=transfer))

    def as_json(self) -> str:
        """All of it."""
        return json.dumps({**asdict(self), "recipe": as_dict(self.recipe)}, sort_keys=True)

    @staticmethod
    def from_json(text: str) -> Terms:
        """What ``as_json`` wrote; a leader is a stranger.

        Raises:
            UsageError: it is something else.
        """
        try:
            content: dict[str, Any] = json.loads(text)
            recipe = from_dict(content.pop("recipe"))
            return Terms(recipe, **content)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UsageError(
                f"the leader's terms cannot be read ({error}): is it of the same version?"
            ) from error
