import importlib.util
import json
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
if importlib.util.find_spec("lightning") is None:
    pytest.skip("Lightning is not installed", allow_module_level=True)

from benchmarks.line import ROOT  # noqa: E402
from remend.errors import ModelError, UsageError  # noqa: E402
from remend.nets.weights.portable import save_portable  # noqa: E402
from remend.nets.weights.trained import load_net  # noqa: E402
from remend.train.config import from_dict  # noqa: E402
from remend.train.data.pictures import Pictures  # noqa: E402
from remend.train.federated.member import Member, arrays_of, fresh, put_into  # noqa: E402
from remend.train.federated.shares import KINDS, OneKind, dealt  # noqa: E402
from remend.train.federated.terms import Terms  # noqa: E402

# Flower's command line (Typer 0.20) imports names that Click 8.5 calls deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:'click.utils:DeprecationWarning")

FLOWER = pytest.mark.skipif(
    importlib.util.find_spec("flwr") is None, reason="Flower is an extra: pip install '.[federated]'"
)
OPACUS = pytest.mark.skipif(
    importlib.util.find_spec("opacus") is None, reason="Opacus is an extra: pip install '.[federated]'"
)
CONTENT = {
    "net": "remend",
    "options": {"widths": [8, 8, 16], "dilations": [1], "attention": False},
    "data": {"crop_px": 32, "validation_px": 32, "jpeg": 0.0},
    "loss": {"hole": 0.0, "ring": 0.0, "perceptual": 0.0, "hole_db": 0.006},
    "train": {"samples": 32, "batch": 4, "warmup": 8, "lr": 1e-3},
}
RECIPE = from_dict(CONTENT)


def pictures(count: int = 4, seed: int = 0) -> Pictures:
    rng = np.random.default_rng(seed)
    made = (
        cv2.resize(rng.integers(0, 256, (5, 6, 3), np.uint8), (96, 80), interpolation=cv2.INTER_CUBIC)
        for _ in range(count)
    )
    names = tuple(f"made/{number}" for number in range(count))
    return Pictures(names, tuple(made), {"made": count})


def members(count: int = 3) -> list[Member]:
    return [Member(pictures(seed=n), OneKind(0, 4, kind=KINDS[n]), seed=n) for n in range(count)]


def simulated(terms: Terms, count: int = 3):
    from remend.train.federated.here import simulate

    said: list[list[dict[str, float]]] = []
    arrays = simulate(terms, members(count), told=lambda _, __, told: said.append(told))
    return arrays, said


def furthest(one, other) -> float:
    return max(float(np.abs(a - b).max()) for a, b in zip(one, other, strict=True))


def test_terms_come_back_as_they_were():
    terms = Terms(RECIPE, rounds=3, prox=0.1, secagg=True)
    assert Terms.from_json(terms.as_json()) == terms
    for text in ("", "[]", '{"recipe": {}}', '{"recipe": 3}', json.dumps({"recipe": CONTENT, "more": 1})):
        with pytest.raises(UsageError, match=r"terms cannot be read|names its net|has no"):
            Terms.from_json(text)
    with pytest.raises(UsageError, match="a round at least"):
        Terms(RECIPE, rounds=0)
    with pytest.raises(UsageError, match="hole_db is the one loss"):
        Terms(from_dict({**CONTENT, "loss": {}}), noise=1.0)


def test_pictures_are_dealt_out_unevenly_and_all_of_them():
    labels = ["sea"] * 30 + ["town"] * 30
    uneven, even = (dealt(labels, 5, alpha=alpha, seed=1) for alpha in (0.1, 1e6))
    for shares in (uneven, even):
        assert sorted(number for share in shares for number in share) == list(range(60))
        assert all(shares)
    seas = [sum(number < 30 for number in share) for share in even]
    assert max(seas) - min(seas) <= 1
    assert max(map(len, uneven)) > 2 * min(map(len, uneven))
    with pytest.raises(UsageError, match="cannot be dealt out"):
        dealt(["a"], 2, alpha=1)


@pytest.mark.parametrize("kind", KINDS)
def test_a_member_knows_one_kind_of_damage(kind):
    bank = OneKind(0, 2, kind=kind)
    rng = np.random.default_rng(0)
    holes = [bank.draw("box", 32, rng) for _ in range(4)]
    assert all(hole.shape == (32, 32) and 0 < hole.mean() < 1 for hole in holes)


def test_weights_of_another_net_are_refused():
    net = fresh(Terms(RECIPE))
    arrays = arrays_of(net)
    put_into(net, arrays)
    with pytest.raises(UsageError, match="another net"):
        put_into(net, arrays[1:])
    arrays[0] = np.full_like(arrays[0], np.nan)
    with pytest.raises(UsageError, match="not finite"):
        put_into(net, arrays)


def test_fedprox_holds_a_member_near_the_common_weights():
    start = arrays_of(fresh(Terms(RECIPE)))
    far, near = (members(1)[0].fit(start, 0, Terms(RECIPE, rounds=1, prox=p))[0] for p in (0.0, 100.0))
    moved = [
        sum(float(np.square(a - b).sum()) for a, b in zip(ends, start, strict=True)) for ends in (far, near)
    ]
    assert 0 < moved[1] < 0.5 * moved[0]


@FLOWER
def test_fedavg_is_the_mean_of_what_members_learn():
    terms = Terms(RECIPE, rounds=1)
    together, _ = simulated(terms)
    start = arrays_of(fresh(terms))
    each = [member.fit(start, 0, terms)[0] for member in members()]
    mean = [np.mean(arrays, axis=0) for arrays in zip(*each, strict=True)]
    assert furthest(together, mean) < 1e-6
    assert furthest(together, start) > 1e-4


@FLOWER
def test_masked_updates_have_the_same_mean(monkeypatch):
    """SecAgg+ costs the rounding of its integers, and nothing that crosses is a member's weights."""
    from flwr.client import mod

    terms = Terms(RECIPE, rounds=1)
    plain, _ = simulated(terms)
    crossed = []
    real = mod.secaggplus_mod

    def spied(message, context, further):
        answer = real(message, context, further)
        crossed.append(
            [array for record in answer.content.array_records.values() for array in record.values()]
        )
        return answer

    monkeypatch.setattr(mod, "secaggplus_mod", spied)
    masked, _ = simulated(Terms(RECIPE, rounds=1, secagg=True))
    assert furthest(plain, masked) < 1e-4
    assert len(crossed) == 4 * 3
    assert not any(crossed), "weights went with the masked ones"


@FLOWER
def test_a_federation_begins_with_weights_that_the_leader_alone_has(tmp_path):
    from remend.train.federated.here import simulate

    known = arrays_of(fresh(Terms(from_dict({**CONTENT, "train": {**CONTENT["train"], "seed": 9}}))))
    net = fresh(Terms(RECIPE))
    put_into(net, known)
    save_portable(tmp_path / "known.safetensors", net.state_dict(), {"net": "remend"})
    slow = {**CONTENT["train"], "lr": 1e-9}
    weights = {"weights": str(tmp_path / "known.safetensors")}
    terms = Terms(from_dict({**CONTENT, "train": slow, "transfer": weights}), rounds=1)
    assert furthest(simulate(terms, members(2)), known) < 1e-5
    assert "known" not in terms.for_members().as_json()
    gone = Terms(from_dict({**CONTENT, "transfer": {"weights": str(tmp_path / "gone.onnx")}}))
    with pytest.raises(ModelError):
        simulate(gone, members(2))


@FLOWER
def test_a_member_may_demand_masks():
    from remend.train.federated.flower import client_of, server_of
    from remend.train.federated.here import _grid_of

    grid, context = _grid_of(client_of(lambda _: members(1)[0], demands_secagg=lambda _: True), [1, 2, 3])
    with pytest.raises(Exception, match="SecAgg\\+ alone"):
        server_of(Terms(RECIPE, rounds=1), 3)(grid, context)
    with pytest.raises(UsageError, match="three members"):
        server_of(Terms(RECIPE, secagg=True), 2)


@FLOWER
@OPACUS
def test_noise_says_what_it_costs():
    terms = Terms(RECIPE, rounds=2, noise=2.0)
    arrays, said = simulated(terms)
    first, second = (max(member["epsilon"] for member in told) for told in said)
    assert 0 < first < second
    assert all(np.isfinite(array).all() for array in arrays)
    from remend.train.federated.private import spent

    assert spent(terms, 4, rounds=2) == pytest.approx(second)
    assert spent(Terms(RECIPE, rounds=2, noise=4.0), 4, rounds=2) < second
    assert spent(terms, 400, rounds=2) < second


@OPACUS
def test_one_picture_changes_no_more_than_the_clip(monkeypatch):
    """Without noise, a step is the clipped mean: its norm is the clip's at most."""
    from opacus.optimizers import DPOptimizer

    norms = []
    real = DPOptimizer.clip_and_accumulate

    def spied(self):
        real(self)
        total = sum(float(p.summed_grad.square().sum()) for p in self.params)
        norms.append(total**0.5)

    monkeypatch.setattr(DPOptimizer, "clip_and_accumulate", spied)
    start = arrays_of(fresh(Terms(RECIPE)))
    members(1)[0].fit(start, 0, Terms(RECIPE, rounds=1, noise=0.5, clip=0.01))
    assert norms
    assert max(norms) <= 4 * 0.01 + 1e-6


TINY = (
    'net = "remend"\n[options]\nwidths = [8, 8, 16]\ndilations = [1]\nattention = false\n'
    "[data]\ncrop_px = 64\nvalidation_px = 64\n[loss]\nperceptual = 0.0\n"
    "[train]\nsamples = 16\nbatch = 4\n"
)


def folders(place: Path, count: int) -> list[Path]:
    made = [place / f"member{number}" for number in range(count)]
    for number, folder in enumerate(made):
        folder.mkdir()
        for index in range(4):
            cv2.imwrite(str(folder / f"{index}.png"), pictures(1, seed=10 * number + index)[0])
    return made


@FLOWER
def test_the_command_leaves_weights_that_can_be_exported(tmp_path):
    from click.testing import CliRunner

    from remend.cli.federate import federate

    recipe, out = tmp_path / "tiny.toml", tmp_path / "run"
    recipe.write_text(TINY)
    (folder,) = folders(tmp_path, 1)
    words = ["simulate", str(recipe), "--data", str(folder), "--members", "2", "--rounds", "2", "--one-kind"]
    done = CliRunner().invoke(federate, [*words, "--out", str(out)])
    assert done.exception is None, done.output
    assert "round 2 of 2" in done.output
    assert load_net(out / "best.safetensors")[1]["samples_seen"] == 16
    again = CliRunner().invoke(federate, [*words, "--out", str(out)])
    assert isinstance(again.exception, UsageError)


@pytest.fixture
def federation(tmp_path):
    """Starts `remend federate` in processes of their own, and ends them."""
    (tmp_path / "tiny.toml").write_text(TINY)
    running = []

    def start(*words: object, **more: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "remend", "federate", *map(str, words)]
        running.append(subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True, **more))
        return running[-1]

    yield start
    for process in running:
        process.terminate()
    for process in running:
        process.communicate(timeout=120)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def check_weights(path: Path) -> None:
    net, state = load_net(path)
    assert state["samples_seen"] == 16
    assert all(torch.isfinite(tensor).all() for tensor in net.state_dict().values())


@FLOWER
@pytest.mark.slow
def test_a_leader_and_members_over_loopback(tmp_path, federation):
    """Processes of their own: a leader, and two members with folders that nobody else reads."""
    address = f"127.0.0.1:{free_port()}"
    terms = ("--members", 2, "--rounds", 2, "--address", address, "--out", "run")
    leader = federation("lead", "tiny.toml", *terms)
    for number, folder in enumerate(folders(tmp_path, 2)):
        federation("join", "--data", folder, "--address", address, "--seed", number)
    out, _ = leader.communicate(timeout=900)
    assert leader.returncode == 0
    check_weights(tmp_path / out.strip())


@FLOWER
@pytest.mark.slow
@pytest.mark.skipif(shutil.which("openssl") is None, reason="certificates are made by openssl")
def test_five_members_over_tls_under_secagg(tmp_path, federation):
    """As docs/federated.md says, its certificates too; each member knows another kind of damage."""
    page = (ROOT / "docs" / "federated.md").read_text("utf-8")
    (made,) = re.findall(r"```sh\n(openssl.*?)```", page, re.DOTALL)
    subprocess.run(["bash", "-euc", made.replace("leader.example", "localhost")], cwd=tmp_path, check=True)
    port = free_port()
    terms = ("--members", 5, "--rounds", 2, "--secagg", "--address", f"0.0.0.0:{port}", "--out", "run")
    leader = federation("lead", "tiny.toml", *terms, "--tls", "ca.pem", "cert.pem", "key.pem")
    for number, folder in enumerate(folders(tmp_path, 5)):
        own = ("--data", folder, "--seed", number, "--kind", KINDS[number])
        federation("join", *own, "--address", f"localhost:{port}", "--ca", "ca.pem", "--secagg")
    out, _ = leader.communicate(timeout=1500)
    assert leader.returncode == 0
    check_weights(tmp_path / out.strip())


@FLOWER
@pytest.mark.slow
def test_a_member_that_demands_masks_ends_a_run_without(tmp_path, federation):
    address = f"127.0.0.1:{free_port()}"
    terms = ("--members", 2, "--rounds", 1, "--address", address, "--out", "run")
    leader = federation("lead", "tiny.toml", *terms, stderr=subprocess.PIPE)
    for number, folder in enumerate(folders(tmp_path, 2)):
        demand = ("--secagg",) if number else ()
        federation("join", "--data", folder, "--address", address, "--seed", number, *demand)
    _, said = leader.communicate(timeout=900)
    assert leader.returncode == 4
    assert "the run has failed" in said
    assert not (tmp_path / "run" / "best.safetensors").exists()
