"""`make test-pythons`: the fast tests on each Python that the package supports and this machine has.

Interpreters come from uv, which fetches what is missing, from pyenv, or from the path; one that is nowhere is
told and left out. Each gets an environment of its own, in .venv-VERSION. The exit status is 1 where a test
failed, and where no interpreter at all was found.

    python tools/pythons.py [VERSION...] [-- what pytest is to run]
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def supported() -> list[str]:
    """The versions that the package's classifiers name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    start = "Programming Language :: Python :: "
    return [line.removeprefix(start) for line in project["classifiers"] if line.startswith(start)]


def answer(*command: str) -> str:
    """The first line that a command prints, "" where it fails or is not there."""
    if shutil.which(command[0]) is None:
        return ""
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout.strip().partition("\n")[0] if done.returncode == 0 else ""


def interpreter(version: str) -> Path | None:
    """A Python of that version."""
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        return Path(sys.executable)
    if shutil.which("uv"):
        subprocess.run(["uv", "python", "install", "--quiet", version], check=False)
    candidates = [answer("uv", "python", "find", version)]
    if pyenv := answer("pyenv", "root"):
        homes = sorted(Path(pyenv, "versions").glob(f"{version}.*"), key=lambda home: home.name)
        candidates += [str(home / "bin" / "python") for home in reversed(homes)]
    candidates.append(shutil.which(f"python{version}") or "")
    for one in candidates:
        if one and answer(one, "--version").startswith(f"Python {version}."):
            return Path(one)
    return None


def tested(version: str, python: Path, chosen: list[str]) -> bool:
    """Make the environment where it is not there yet, install into it, and run the tests."""
    home = ROOT / f".venv-{version}"
    own = home / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    if not own.exists():
        subprocess.run([python, "-m", "venv", home], check=True)
    install = [own, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, "-c", "constraints.txt", "-e", ".[dev,serve]"], cwd=ROOT, check=True)
    run = [own, "-m", "pytest", "-q", "-m", "not slow and not gpu"]
    return subprocess.run([*run, *chosen], cwd=ROOT).returncode == 0


def main(words: list[str]) -> int:
    """Run; what to return."""
    split = words.index("--") if "--" in words else len(words)
    versions, chosen = words[:split] or supported(), words[split + 1 :]
    results: dict[str, bool] = {}
    for version in versions:
        python = interpreter(version)
        if python is None:
            print(f"Python {version}: none here; install it, or uv", flush=True)
        else:
            print(f"Python {version}: {python}", flush=True)
            results[version] = tested(version, python, chosen)
    for version, passed in results.items():
        print(f"Python {version}: {'passed' if passed else 'FAILED'}")
    return 0 if results and all(results.values()) else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
