import math
import multiprocessing

import pytest
from click.testing import CliRunner

from tiny_nets import TINY

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytest.importorskip("onnx", reason="onnx is not installed")

from remend.cli.nets import nets  # noqa: E402
from remend.errors import UsageError  # noqa: E402
from remend.nets import costs as costs_module  # noqa: E402
from remend.nets.costs import Costs, costs  # noqa: E402
from remend.nets.registry import NETS  # noqa: E402
from remend.nets.table import BEGIN, END, markdown, published, write_into  # noqa: E402

SOME = Costs(6_620_000, 8.1, 32.5, 410.0, 280.0, 900.0, "yes, within 2e-06", 1, 512)
UNEXPORTED = Costs(1_000_000, 1.0, 4.0, 90.0, math.nan, 120.0, "no: an operator is missing", 1, 512)


@pytest.fixture
def no_process(monkeypatch):
    """Memory is measured here: a process takes seconds to start."""
    monkeypatch.setattr(costs_module, "_training_mib", lambda *_: 12.0)


def test_a_net_is_measured_and_exported(no_process):
    cost = costs("remend", TINY["remend"], side_px=64)
    assert cost.parameters > 1000
    assert 0 < cost.gmac_256 < cost.gmac_512
    assert 0 < cost.torch_ms < 60_000
    assert 0 < cost.onnx_ms < 60_000
    assert cost.export.startswith("yes, within")


def test_a_net_that_does_not_export_is_measured_all_the_same(no_process, monkeypatch):
    from remend.errors import ModelError
    from remend.nets import onnx_file

    def refuse(net):
        raise ModelError("an operator is missing")

    monkeypatch.setattr(onnx_file, "to_onnx", refuse)
    cost = costs("remend", TINY["remend"], side_px=64)
    assert math.isnan(cost.onnx_ms)
    assert cost.export == "no: an operator is missing"
    assert cost.torch_ms > 0


@pytest.mark.slow
def test_a_step_takes_memory_and_a_wider_net_takes_more():
    # In a process of its own, as in earnest: the peak of this one may be that of another test.
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        narrow, wide = (
            pool.apply(costs_module._step_mib, ("unet", {"widths": widths}, 1))
            for widths in ((8, 8), (64, 64))
        )
    assert 0 <= narrow < wide


def test_the_table_has_ours_and_theirs():
    table = markdown({"lama": SOME, "remend": UNEXPORTED}, "a machine")
    assert "| `lama` | 6.6 M | 8.1 | 32.5 | 410 | 280 | 900 | yes, within 2e-06 |" in table
    assert "| `remend` | 1.0 M | 1.0 | 4.0 | 90 | – | 120 | no: an operator is missing |" in table
    assert table.count("| `lama` |") == 2
    assert table.count("| `remend` |") == 1  # our own: nobody has printed figures of it
    assert "doi.org/10.1109/WACV51458.2022.00323" in table
    assert "a machine" in table


def test_what_papers_print_is_of_nets_that_are_here_and_has_a_source():
    for name, said in published().items():
        assert name in NETS
        assert said["source"]
        assert said["licence"]
        assert set(said) == {"code", "licence", "figures", "protocol", "source"}
    assert set(published()) <= {name for name, net in NETS.items() if net.doi}


def test_a_page_keeps_what_stands_around_its_table(tmp_path):
    page = tmp_path / "architectures.md"
    write_into(page, "one\n")
    assert page.read_text() == f"# Architectures\n\n{BEGIN}\n\none\n\n{END}\n"
    page.write_text(f"# Mine\n\nbefore\n\n{BEGIN}\nold\n{END}\n\nafter\n")
    write_into(page, "two\n")
    assert page.read_text() == f"# Mine\n\nbefore\n\n{BEGIN}\n\ntwo\n\n{END}\n\nafter\n"


def test_the_command_measures_those_that_are_named(tmp_path, monkeypatch):
    asked = []

    def measure(name, *, threads):
        asked.append((name, threads))
        if name == "unet":
            raise UsageError("it cannot be had here")
        return SOME

    monkeypatch.setattr(costs_module, "costs", measure)
    page = tmp_path / "page.md"
    arguments = ["lama", "unet", "--figures", "-o", str(page), "--threads", "2"]
    answer = CliRunner().invoke(nets, arguments)
    assert answer.exit_code == 0, answer.output
    assert asked == [("lama", 2), ("unet", 2)]
    assert "no figures of unet: it cannot be had here" in answer.stderr
    assert "| `lama` | 6.6 M" in page.read_text()


def test_options_that_cannot_be_meant():
    for arguments, words in ((["lamma"], "choose among"), (["-o", "x.md"], "-o is for --figures")):
        said = CliRunner().invoke(nets, arguments).exception
        assert isinstance(said, UsageError)
        assert words in str(said)
