"""The rules of the house: layers, public names, quick imports, no torch on the repair side."""

import ast
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import remend
from remend.fill.catalogue import ENTRIES, filler_named
from remend.fill.filler import Filler

SOURCE = Path(remend.__file__).parent

# Who may import whom: a stage imports the ground floor and itself, never a sibling. Planning knows the
# fillers' contract; evaluation stands above the stages, on the public verbs.
GROUND = {"budget", "errors", "faults", "picture", "runtime", "samples", "tone", "windows"}
STAGES = {"io", "damage", "plan", "fill", "finish", "evaluation"}
MAY_ALSO = {
    "plan": {"fill.filler"},
    "evaluation": {"io", "api", "fill.catalogue", "damage.given", "export", "nets.squeezenet"},
}


TRAINING = (
    "remend.nets",
    "remend.train",
    "remend.export",
    "remend.cli.train",
    "remend.cli.export",
    "remend.evaluation.learned.",
)
SERVING = ("remend.serve",)


def modules() -> list[str]:
    return [
        info.name for info in pkgutil.walk_packages([str(SOURCE)], "remend.") if "__main__" not in info.name
    ]


def imports_of(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("remend."):
            found.add(node.module.removeprefix("remend."))
    return found


@pytest.mark.parametrize("stage", sorted(STAGES))
def test_a_stage_never_imports_its_sibling(stage):
    allowed = MAY_ALSO.get(stage, set())
    for path in (SOURCE / stage).rglob("*.py"):
        for name in imports_of(path):
            room = name.split(".")[0]
            fine = room in GROUND | {stage} or room in allowed or any(name.startswith(a) for a in allowed)
            assert fine, f"{path.relative_to(SOURCE)} imports {name}"


@pytest.mark.parametrize("name", modules())
def test_public_names_exist_and_are_documented(name):
    if name.startswith(TRAINING):
        pytest.importorskip("torch", reason="the training stream needs torch: pip install '.[train]'")
    if name.startswith(SERVING):
        pytest.importorskip("fastapi", reason="serving needs its extra: pip install '.[serve]'")
    module = importlib.import_module(name)
    assert module.__doc__
    for public in getattr(module, "__all__", []):
        assert hasattr(module, public), public


@pytest.mark.parametrize("name", remend.__all__)
def test_every_public_name_of_the_package_loads(name):
    value = getattr(remend, name)
    assert value.__doc__ or isinstance(value, str)


def test_importing_a_module_first_does_not_hide_a_verb():
    code = "import remend.job, remend.api, remend.pipeline, remend; assert callable(remend.repair)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", [name for name in ENTRIES if name != "neural"])
def test_every_filler_of_the_catalogue_keeps_the_contract(name):
    filler = filler_named(name)
    assert isinstance(filler, Filler)
    assert filler.name == name
    assert filler.capabilities.context_px > 0


def test_the_repair_side_imports_no_torch_and_the_package_almost_nothing():
    code = """
import sys, remend
early = set(sys.modules)
assert not early & {"numpy", "cv2", "PIL", "onnxruntime"}, early
from remend.cli.main import VERBS
import importlib
for module in VERBS.values(): importlib.import_module(module)
import remend.api, remend.batch, remend.explain
assert not set(sys.modules) & {"torch", "onnxruntime", "jpeglib", "scipy", "skimage"}
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.skipif(sys.platform == "win32", reason="needs the processor time of child processes")
def test_the_command_answers_at_once():
    import resource

    spent = []
    for _ in range(5):
        # Processor time, not wall time: the tests may run beside other work.
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "remend", "--version"], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(spent) < 0.25


def test_onnx_runtime_is_imported_in_one_place():
    """It sends telemetry unless told not to before it is loaded, and `runtime` is who tells it."""
    root = SOURCE.parents[1]
    files = [
        path for room in ("src", "tests", "benchmarks", "examples") for path in (root / room).rglob("*.py")
    ]
    assert files
    found = set()
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            named: list[object] = []
            if isinstance(node, ast.Import):
                named = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                named = [node.module]
            elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(
                ("import_module", "__import__")
            ):
                named = [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
            if any(str(name).partition(".")[0] == "onnxruntime" for name in named):
                found.add(path.relative_to(root).as_posix())
    assert found == {"src/remend/runtime.py"}
