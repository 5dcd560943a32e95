"""Build the wheel, install it into a clean environment, and repair a picture with it.

Run by `make wheel`. Proves that what the repository promises is inside the package: no test here
imports the source tree.
"""

import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SMOKE = """
import json, subprocess, sys
from pathlib import Path
import numpy as np, PIL.Image, remend
home = Path(remend.__file__).parent
assert "site-packages" in str(home), home
assert not (home / "tests").exists()
image = np.full((64, 64, 3), 90, np.uint8)
image[20:24, 8:50] = 255
mask = np.zeros((64, 64), np.uint8)
mask[20:24, 8:50] = 255
PIL.Image.fromarray(image).save("a.jpg", quality=95)
PIL.Image.fromarray(mask).save("m.png")
command = [str(Path(sys.executable).parent / "remend")]
line = subprocess.run(
    [*command, "repair", "a.jpg", "-m", "m.png", "--json"], check=True, capture_output=True, text=True
).stdout
assert json.loads(line)["output"] == "a.repaired.jpg"
assert abs(np.array(PIL.Image.open("a.repaired.jpg")).astype(int) - 90).max() < 8
subprocess.run([*command, "detect", "a.jpg", "-o", "found.png"], check=True, capture_output=True)
make = [*command, "mask", "lama-thin", "-o", "made.png", "--size", "96x64"]
subprocess.run(make, check=True, capture_output=True)
assert PIL.Image.open("made.png").size == (96, 64)
print("the wheel works:", remend.__version__)
"""


def main() -> None:
    """Build, install, try."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        build = [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(ROOT)]
        subprocess.run(build, check=True, stdout=subprocess.DEVNULL)
        (wheel,) = folder.glob("*.whl")
        venv.create(folder / "clean", with_pip=True)
        python = folder / "clean" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, "-c", str(ROOT / "constraints.txt"), str(wheel)], check=True)
        subprocess.run([str(python), "-c", SMOKE], cwd=folder, check=True)


if __name__ == "__main__":
    main()
