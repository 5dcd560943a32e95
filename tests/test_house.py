"""The rules of the house: layers, public names, quick imports, no torch on the repair side."""

import ast
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import remend
from remend.fill.filler import Filler
from remend.fill.registry import ENTRIES, filler_named

SOURCE = Path(remend.__file__).parent

# Every room from the ground up. A room imports itself and what stands below its row: nothing of its own row,
# nothing above, neither at the top of a file nor later in a function.
HOUSE = (
    ("errors", "language", "privacy"),
    ("kinds", "pages", "planes"),
    ("options",),
    ("added", "budget", "faults", "picture", "places", "runtime"),
    ("document", "metrics", "projection", "samples", "tone"),
    ("scans", "windows"),
    ("damage", "fill", "finish", "io", "patch", "restoration"),
    ("adapt", "infrared", "nets", "plan", "provenance", "quantize", "saying"),
    ("filling", "finding", "measured", "train"),
    ("pipeline",),
    ("export", "recording", "references", "report", "stack"),
    ("adapting", "cropping", "repairing", "restoring", "video"),
    ("album", "api", "explain", "undoing"),
    ("batch", "evaluation"),
    ("remend",),
    ("serve",),
    ("cli",),
    ("__main__",),
)
# The rooms of the trainer, by the same rule.
TRAIN = (
    ("checked", "preset", "ranges", "wear"),
    ("config",),
    ("request",),
    ("data", "machine", "optim"),
    ("loss", "tasks"),
    ("adversarial",),
    ("finder", "restorer", "run"),
    ("federated", "personal"),
)
# All that a room may know of another, where that is less than the whole of it.
ONLY = {
    ("plan", "fill"): {"fill.filler"},
    ("train", "fill"): {"fill.model_file"},
    ("evaluation", "nets"): {"nets.squeezenet"},
    ("evaluation", "train"): set(),
    ("serve", "train"): set(),
    ("serve", "nets"): set(),
}


TRAINING = (
    "remend.nets",
    "remend.train",
    "remend.adapting",
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


def files() -> dict[str, Path]:
    """Every module by its name without ``remend.``; the package itself is ``remend``."""
    found = {}
    for path in SOURCE.rglob("*.py"):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name or "remend"] = path
    return found


def imports_of(path: Path, known: set[str]) -> set[str]:
    """The modules of ours that a file imports: at its top, in functions, or by a name given as a string.

    Imports for types alone never run. The version stands in the package itself, above all lazy names.
    """
    found = set()

    def look(node: ast.AST) -> None:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            for other in node.orelse:
                look(other)
            return
        if isinstance(node, ast.ImportFrom) and node.module == "remend":
            found.update(alias.name for alias in node.names if alias.name != "__version__")
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("remend."):
            module = node.module.removeprefix("remend.")
            inner = {f"{module}.{alias.name}" for alias in node.names}
            found.update(inner & known or {module})
        elif isinstance(node, ast.Import):
            names = (alias.name for alias in node.names)
            found.update(name.removeprefix("remend.") for name in names if name.startswith("remend"))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            name = node.value.removeprefix("remend.")
            found.update({name} if name != node.value and name in known else ())
        for child in ast.iter_child_nodes(node):
            look(child)

    look(ast.parse(path.read_text(encoding="utf-8")))
    return found


def graph() -> dict[str, set[str]]:
    known = files()
    return {name: imports_of(path, set(known)) - {name} for name, path in known.items()}


def walk_up(rows: tuple[tuple[str, ...], ...], rooms: dict[str, dict[str, set[str]]]) -> list[str]:
    """What breaks the order of rows: rooms by name, each with what its files import of the others."""
    height = {room: row for row, names in enumerate(rows) for room in names}
    wrong = [f"{room} has no row" for room in sorted(set(rooms) - set(height))]
    wrong += [f"{room} is no room" for room in sorted(set(height) - set(rooms))]
    for room, imports in rooms.items():
        for other, names in imports.items():
            if other in height and room in height and height[other] >= height[room]:
                wrong.append(f"{room} imports {', '.join(sorted(names))}")
    return wrong


def rooms_of(prefix: str = "") -> dict[str, dict[str, set[str]]]:
    """Each room below ``prefix``, with what it imports of the others: room -> other room -> modules."""
    rooms: dict[str, dict[str, set[str]]] = {}
    for name, imported in graph().items():
        if not name.startswith(prefix) or name == prefix.rstrip("."):
            continue
        room = name.removeprefix(prefix).split(".")[0]
        mine = rooms.setdefault(room, {})
        for other in imported:
            there = other.removeprefix(prefix).split(".")[0]
            if other.startswith(prefix) and there != room:
                mine.setdefault(there, set()).add(other)
    return rooms


def test_no_room_imports_its_neighbour_or_one_above_it():
    assert walk_up(HOUSE, rooms_of()) == []


def test_no_room_of_the_trainer_imports_its_neighbour_or_one_above_it():
    assert walk_up(TRAIN, rooms_of("train.")) == []


@pytest.mark.parametrize(("room", "other"), sorted(ONLY))
def test_a_room_knows_no_more_of_another_than_it_needs(room, other):
    assert rooms_of()[room].get(other, set()) <= ONLY[room, other]


def test_no_module_leads_back_to_itself():
    """Lazy imports counted: what is imported in a function only hides a circle."""
    waiting = graph()
    while free := [name for name, imported in waiting.items() if not imported & set(waiting)]:
        for name in free:
            del waiting[name]
    # What is left are the circles, and whoever leads into one.
    assert waiting == {}


def test_the_rules_notice_what_breaks_them(tmp_path):
    """An import upward in a function, one by a string, and a new room."""
    file = tmp_path / "made.py"
    file.write_text(
        "def f():\n    from remend.cli import main\n\nWHERE = 'remend.repairing'\n"
        "if TYPE_CHECKING:\n    from remend.serve import app\n"
    )
    assert imports_of(file, {"cli.main", "repairing", "serve.app"}) == {"cli.main", "repairing"}
    rows = (("a", "b"), ("c",))
    assert walk_up(rows, {"a": {}, "b": {}, "c": {"a": {"a.x"}}}) == []
    assert walk_up(rows, {"a": {"b": {"b.x"}}, "b": {"c": {"c"}}, "c": {}}) == [
        "a imports b.x",
        "b imports c",
    ]
    assert walk_up(rows, {"a": {}, "b": {}, "c": {}, "d": {}}) == ["d has no row"]


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
    code = """
import remend.repairing, remend.api, remend.pipeline, remend.restoring, remend.restoration.net, remend
assert callable(remend.repair) and callable(remend.restore)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", [name for name in ENTRIES if name != "neural"])
def test_every_filler_of_the_registry_keeps_the_contract(name):
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
    paths = [
        path for room in ("src", "tests", "benchmarks", "examples") for path in (root / room).rglob("*.py")
    ]
    assert paths
    found = set()
    for path in paths:
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
