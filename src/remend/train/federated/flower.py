"""The two sides of a federation as Flower's apps: `client_app` by the pictures, `server_app` in the middle.

Both go through Flower's legacy strategies, the ones that its SecAgg+ workflow still asks for. They are made
when they are asked for: importing this module needs no Flower.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from remend.errors import UsageError
from remend.nets.weights.portable import save_portable
from remend.train.config import as_dict, digest
from remend.train.data.pictures import Pictures, read_pictures
from remend.train.federated.member import Arrays, Member, arrays_of, beginning, fresh, put_into
from remend.train.federated.shares import OneKind
from remend.train.federated.terms import Terms

__all__ = ["Told", "app_of_leader", "app_of_node", "client_of", "keep", "server_of"]

Told = Callable[[int, Arrays, list[dict[str, float]]], None]
"""Told after each round: its number from 1, the common weights, what members said."""

_MISSING = "federating needs {}, which is not installed: pip install 'remend[federated]'"
_members: dict[str, Member] = {}  # a process stays one member over all rounds


def client_of(
    member_for: Callable[[Any], Member], *, demands_secagg: Callable[[Any], bool] = lambda context: False
) -> Any:
    """Flower's ClientApp over a member.

    Args:
        member_for: which member a Flower context means.
        demands_secagg: whether that member refuses rounds in which the leader would see its own weights.

    Raises:
        UsageError: Flower is missing.
    """
    try:
        from flwr.client import NumPyClient
        from flwr.client.mod import secaggplus_mod
        from flwr.clientapp import ClientApp
        from flwr.common.secure_aggregation.secaggplus_constants import RECORD_KEY_CONFIGS
    except ModuleNotFoundError as error:
        raise UsageError(_MISSING.format(error.name)) from error

    class Between(NumPyClient):  # type: ignore[misc]
        """Flower's words for a member."""

        def __init__(self, member: Member) -> None:
            self.member = member

        def fit(self, parameters: Arrays, config: dict[str, Any]) -> tuple[Arrays, int, dict[str, float]]:
            """A round."""
            terms = Terms.from_json(str(config["terms"]))
            arrays, said = self.member.fit(parameters, int(config["number"]), terms)
            return arrays, terms.samples, said

    def masked(message: Any, context: Any, further: Callable[[Any, Any], Any]) -> Any:
        """SecAgg+ where the leader speaks it; by what it sends, for terms can be claimed."""
        if RECORD_KEY_CONFIGS in message.content.config_records:
            return secaggplus_mod(message, context, further)
        if demands_secagg(context):
            raise UsageError("this member takes part with SecAgg+ alone, and the leader asks without it")
        return further(message, context)

    return ClientApp(client_fn=lambda context: Between(member_for(context)).to_client(), mods=[masked])


def server_of(terms: Terms, members: int, *, start: Arrays | None = None, told: Told | None = None) -> Any:
    """Flower's ServerApp: FedAvg, or FedProx where the terms pull, under SecAgg+ where they say so.

    Args:
        terms: of the federation.
        members: that all rounds wait for.
        start: weights to begin with; None = those of the recipe's ``transfer.weights``, or fresh ones.
        told: after each round.

    Raises:
        UsageError: Flower is missing, or too few members for SecAgg+.
    """
    try:
        from flwr.common import ndarrays_to_parameters, parameters_to_ndarrays
        from flwr.server import LegacyContext, ServerConfig, SimpleClientManager
        from flwr.server.strategy import FedAvg
        from flwr.server.workflow import DefaultWorkflow, SecAggPlusWorkflow
        from flwr.serverapp import ServerApp
    except ModuleNotFoundError as error:
        raise UsageError(_MISSING.format(error.name)) from error
    if terms.secagg and members < 3:
        raise UsageError(f"SecAgg+ hides one among others: it needs three members and more, got {members}")

    class Averaged(FedAvg):  # type: ignore[misc]
        """FedAvg that says what it did; FedProx differs in what members do, which the terms say."""

        def aggregate_fit(self, server_round: int, results: Any, failures: Any) -> Any:
            """The mean of what came back; too few are an error, and no weights of a few."""
            if failures or not results:
                first = failures[0] if failures else "nobody answered"
                raise UsageError(
                    f"round {server_round}: {len(failures)} of {members} members failed ({first})"
                )
            results = sorted(results, key=lambda pair: pair[0].node_id)  # sums depend on their order
            parameters, metrics = super().aggregate_fit(server_round, results, failures)
            if told is not None and parameters is not None:
                said = [dict(result.metrics) for _, result in results]
                told(server_round, parameters_to_ndarrays(parameters), said)
            return parameters, metrics

    app = ServerApp()

    @app.main()  # type: ignore[untyped-decorator, misc]
    def main(grid: Any, context: Any) -> None:
        strategy = Averaged(
            fraction_evaluate=0.0,
            min_fit_clients=members,
            min_available_clients=members,
            min_evaluate_clients=0,
            initial_parameters=ndarrays_to_parameters(start or arrays_of(beginning(terms))),
            on_fit_config_fn=lambda number: {"terms": terms.for_members().as_json(), "number": number - 1},
        )
        legacy = LegacyContext(
            context=context,
            config=ServerConfig(num_rounds=terms.rounds),
            strategy=strategy,
            client_manager=SimpleClientManager(),
        )
        hidden = SecAggPlusWorkflow(
            num_shares=1.0, reconstruction_threshold=0.5, max_weight=float(terms.samples), clipping_range=8.0
        )
        DefaultWorkflow(fit_workflow=hidden if terms.secagg else None)(grid, legacy)

    return app


def _member_of_node(context: Any) -> Member:
    """The member that a SuperNode was started for: ``data``, ``seed``, and the ``kind`` of its damage."""
    config = context.node_config
    folder = str(config["data"])
    if folder not in _members:
        pictures: Pictures = read_pictures([Path(folder)], least_px=int(config.get("least-px", 64)))
        seed, kind = int(config.get("seed", 0)), str(config.get("kind", ""))
        _members[folder] = Member(pictures, OneKind.of(seed, kind) if kind else None, seed=seed)
    return _members[folder]


def app_of_node() -> Any:
    """A member's ClientApp, its folder in its node's configuration: where Flower starts it by itself."""
    return client_of(
        _member_of_node, demands_secagg=lambda context: bool(context.node_config.get("secagg", False))
    )


def app_of_leader() -> Any:
    """The leader's ServerApp, its terms in the run's configuration: where Flower starts it by itself."""
    from flwr.serverapp import ServerApp

    app = ServerApp()

    @app.main()  # type: ignore[untyped-decorator, misc]
    def main(grid: Any, context: Any) -> None:
        config = context.run_config
        terms, out = Terms.from_json(str(config["terms"])), Path(str(config["out"]))

        def tell(said: dict[str, Any]) -> None:
            with out.with_suffix(".jsonl").open("a", encoding="utf-8") as lines:
                lines.write(json.dumps(said) + "\n")

        def told(number: int, arrays: Arrays, said: list[dict[str, float]]) -> None:
            keep(out, arrays, terms, number)
            tell({"round": number, "members": said})

        try:
            server_of(terms, int(config["members"]), told=told)(grid, context)
        except Exception as error:  # Flower keeps it to itself: whoever waits for rounds must hear of it
            tell({"failed": str(error) or type(error).__name__})
            raise

    return app


def keep(path: Path, arrays: Arrays, terms: Terms, rounds: int) -> None:
    """Write the common weights as a file that `remend export` and `remend train` take.

    Raises:
        WriteError: it cannot be written.
    """
    net, recipe = fresh(terms), terms.recipe
    put_into(net, arrays)
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {
        "net": recipe.net,
        "recipe": as_dict(recipe),
        "recipe_sha256": digest(recipe),
        "samples_seen": rounds * terms.samples,
        "scores": {},
        "data": {},
    }
    save_portable(path, net.state_dict(), state)
