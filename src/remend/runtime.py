"""ONNX Runtime, loaded and opened in one place: threads, 8 bits where the processor is made for them, no
telemetry."""

from __future__ import annotations

import platform
import re
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

from remend.errors import ModelError
from remend.privacy import keep_quiet

__all__ = ["given_back", "load_onnxruntime", "multiplies_bytes", "open_plain_session", "open_session"]

_CPUINFO = Path("/proc/cpuinfo")
# x86 calls them VNNI, ARM dot products; Intel's later cores spell avx_vnni.
_FLAGS = {"avx512_vnni", "avx_vnni", "asimddp"}


def load_onnxruntime(part: str = "") -> Any:
    """ONNX Runtime, or a module of it, that sends nothing.

    The only place that imports it: a test of the house looks.

    Args:
        part: ``quantization``, say; empty = the package itself.
    """
    keep_quiet()  # somebody may have changed the environment since we were imported
    ort = import_module("onnxruntime")
    ort.disable_telemetry_events()  # somebody may have loaded it before us
    return import_module(f"onnxruntime.{part}") if part else ort


def open_plain_session(content: bytes, *, threads: int = 0) -> Any:
    """An ``onnxruntime.InferenceSession`` on the CPU that runs a file as it stands: for measuring files.

    Args:
        content: of the ONNX file.
        threads: of one run; 0 = all cores.

    Raises:
        Exception: of a dozen classes without a common base, when it cannot be loaded.
    """
    ort = load_onnxruntime()
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = threads
    return ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def open_session(content: bytes, *, name: str, threads: int, exact: bool = False) -> Any:
    """An ``onnxruntime.InferenceSession`` on the CPU, for repairs.

    Args:
        content: of the ONNX file.
        name: what messages call it.
        threads: of one run.
        exact: features of a file in 8 bits stay in fp32, at twice the time: for pictures that hold more.

    Raises:
        ModelError: it cannot be loaded.
    """
    ort = load_onnxruntime()
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = threads
    left_out = []
    if exact or not multiplies_bytes():
        # Of a file in 8 bits the weights are read, and features stay in fp32: nearly as fast there as a
        # file in fp32, and nearer to it than with features in 8 bits. Other files do not change by it.
        options.add_session_config_entry("session.disable_quant_qdq", "1")
        options.add_session_config_entry("session.enable_quant_qdq_cleanup", "1")
        # Rounding to bytes from 0 on cuts off like a ReLU before it, so ONNX Runtime drops that first, and
        # then the rounding: both would be gone, and the finder marks whole pictures.
        left_out = ["ReluQuantRewrite", "ClipQuantRewrite"]
    try:
        return ort.InferenceSession(
            content, options, providers=["CPUExecutionProvider"], disabled_optimizers=left_out
        )
    except Exception as error:  # ONNX Runtime raises a dozen classes of its own
        raise ModelError(
            f"the model {name} cannot be loaded ({str(error).splitlines()[0]}): it is damaged or no ONNX file"
        ) from error


def given_back() -> Any:
    """Options of a run after which its memory goes back to the system, for nets that are asked seldom."""
    options = load_onnxruntime().RunOptions()
    options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    return options


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
