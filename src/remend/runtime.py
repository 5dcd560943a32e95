"""What the processor can do, where it decides between two files of one model."""

from __future__ import annotations

import platform
import re
from functools import lru_cache
from pathlib import Path

__all__ = ["multiplies_bytes"]

_CPUINFO = Path("/proc/cpuinfo")
# x86 calls them VNNI, ARM dot products; Intel's later cores spell avx_vnni.
_FLAGS = {"avx512_vnni", "avx_vnni", "asimddp"}


@lru_cache(maxsize=1)
def multiplies_bytes() -> bool:
    """Whether the processor sums products of bytes in one instruction, as 8-bit convolutions want.

    Where it cannot be told, the answer is no: a model in fp32 is then merely slower than it could be, one in
    8 bits would be slower than that.
    """
    if platform.system() == "Darwin":
        return platform.machine() == "arm64"
    try:
        found = re.search(r"^(?:flags|Features)\s*:(.*)$", _CPUINFO.read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        return False
    return found is not None and not _FLAGS.isdisjoint(found.group(1).split())
