"""A coverage-guided target for the readers: bytes that lead into new code are kept and changed further.

python -m benchmarks.fuzz_guided CORPUS -max_total_time=3600     # and libFuzzer's other flags

Needs atheris (``pip install atheris``); the corpus begins with sound files. What is not one of our errors,
in one line, stops it and leaves the input beside it; so do ten seconds and a gigabyte.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["remend.io"]):
    from remend.io.pages import open_document
    from remend.io.read import read_picture
    from remend.io.write import encode_picture

import numpy as np

from benchmarks.line import ROOT
from remend.budget import Budget
from remend.errors import InternalError, RemendError
from remend.options import Bounds

BOUNDS = Bounds(max_pixels=1 << 20, max_memory=128 << 20)


def target(data: bytes) -> None:
    """Read a picture, change a few pixels, write it and read it again; read the pages."""
    try:
        picture = read_picture(data, budget=Budget(BOUNDS))
        changed = np.zeros(picture.size, np.bool_)
        changed[: max(1, picture.height // 3), : max(1, picture.width // 3)] = True
        picture.samples[changed] = picture.samples[-1, -1]
        read_picture(encode_picture(picture, changed=changed).data, budget=Budget(BOUNDS))
        document = open_document(data, budget=Budget(BOUNDS))
        for number in range(min(3, len(document.pages))):
            document.pages[number]
    except RemendError as error:
        if isinstance(error, InternalError) or "\n" in str(error):
            raise AssertionError(str(error)) from error


def seeds(folder: Path) -> None:
    """A sound file of each kind, to begin with."""
    sys.path.insert(0, str(ROOT / "tests"))
    import broken_containers
    import broken_files

    folder.mkdir(parents=True, exist_ok=True)
    for module, names in (
        (broken_files, broken_files.FORMATS),
        (broken_containers, broken_containers.formats()),
    ):
        for name in names:
            for number, content in enumerate(module.sound(name)):
                (folder / f"{name}-{number}").write_bytes(content)


def main() -> None:
    """Begin."""
    warnings.simplefilter("ignore")
    seeds(Path(sys.argv[1]))
    limits = ["-timeout=10", "-rss_limit_mb=1024", "-max_len=8192"]
    atheris.Setup([sys.argv[0], *limits, *sys.argv[1:]], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
