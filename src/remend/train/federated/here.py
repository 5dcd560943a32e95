"""A federation in one process: Flower's apps and workflows, messages handed over one after another.

No ports, no copies of the program, the same numbers each time. What crosses is what would cross a network:
Flower's messages, masked where SecAgg+ masks them.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from types import SimpleNamespace
from typing import Any

from remend.errors import UsageError
from remend.train.federated.flower import Told, client_of, server_of
from remend.train.federated.member import Arrays, Member, arrays_of, beginning
from remend.train.federated.terms import Terms

__all__ = ["simulate"]


def simulate(
    terms: Terms, members: Sequence[Member], *, start: Arrays | None = None, told: Told | None = None
) -> Arrays:
    """Let members learn together here, and answer the common weights.

    Args:
        terms: of the federation.
        members: all of them, each with pictures of its own.
        start: weights to begin with; None = those of the recipe's ``transfer.weights``, or fresh ones.
        told: after each round.

    Raises:
        UsageError: Flower is missing; fewer than two members, or than three with SecAgg+.
        DivergedError: a loss is not finite.

    Cost: that of all members' learning, one after the other.
    """
    if len(members) < 2:
        raise UsageError(f"a federation has two members at least, got {len(members)}: give more --data")
    kept = start or arrays_of(beginning(terms))

    def note(number: int, arrays: Arrays, said: list[dict[str, float]]) -> None:
        nonlocal kept
        kept = arrays
        if told is not None:
            told(number, arrays, said)

    server = server_of(terms, len(members), start=kept, told=note)
    by_node = dict(enumerate(members, start=1))
    client = client_of(lambda context: by_node[context.node_id])
    grid, context = _grid_of(client, list(by_node))
    before = random.getstate()
    random.seed(terms.recipe.train.seed)  # in which order Flower asks
    try:
        server(grid, context)
    finally:
        random.setstate(before)
    return kept


def _grid_of(client: Callable[[Any, Any], Any], nodes: Sequence[int]) -> tuple[Any, Any]:
    """What Flower's workflows send messages through, and the leader's context."""
    from flwr.app import Context, RecordDict
    from flwr.serverapp import Grid
    from flwr.supercore.task_identity import TaskIdentity

    TaskIdentity.run_id, TaskIdentity.node_id, TaskIdentity.task_id = 1, 0, 0
    contexts = {node: Context(1, node, {}, RecordDict(), {}) for node in nodes}

    class Here(Grid):  # type: ignore[misc]
        """Hands messages to the members of this process; a fault of one is the fault of all."""

        run = SimpleNamespace(run_id=1)

        def set_run(self, run: Any) -> None:
            """There is one."""

        def create_message(self, *_: Any, **__: Any) -> Any:
            """Flower's old way, which nobody here goes."""
            raise NotImplementedError

        def get_node_ids(self) -> Iterable[int]:
            """All of them, always."""
            return list(nodes)

        def push_messages(self, messages: Iterable[Any]) -> Iterable[str]:
            """As ``create_message``."""
            raise NotImplementedError

        def pull_messages(self, message_ids: Iterable[str]) -> Iterable[Any]:
            """As ``create_message``."""
            raise NotImplementedError

        def send_and_receive(self, messages: Iterable[Any], *, timeout: float | None = None) -> Iterable[Any]:
            """Each member's answer, in the order of the members."""
            waiting = sorted(messages, key=lambda message: message.metadata.dst_node_id)
            # A copy each: the leader may send one content to all, and members take theirs apart.
            return [client(deepcopy(one), contexts[one.metadata.dst_node_id]) for one in waiting]

    return Here(), Context(1, 0, {}, RecordDict(), {})
