"""The libjpeg-turbo that Pillow's wheel brings, or jpeglib's, and as much of its binary interface as is used.

Pillow's for Linux and macOS carry it as a library beside them (ABI 6.2, 0.9 MB); the one for Windows has it
inside, so that jpeglib's (ABI 7) is needed there, and where Pillow was built otherwise.

Only the heads of libjpeg's structures are spelt out, up to the last field that is needed.
"""

from __future__ import annotations

import ctypes
import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["Decompress", "Library", "TranscodeError", "load"]

ROOM = 1024  # what is allocated for each of libjpeg's structures, more than any of them needs
ACCESS_VIRT_BARRAY = 8  # its place among the function pointers of struct jpeg_memory_mgr
ERROR_EXIT, OUTPUT_MESSAGE, FORMAT_MESSAGE = 0, 2, 3  # places among the pointers of struct jpeg_error_mgr
WARNINGS_COUNTED = 128  # the offset of its num_warnings
REACHED_SCAN, REACHED_END = 1, 2  # what jpeg_consume_input answers
AT_START = 100  # global_state of a compressor that has nothing to do

Handler = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
FormatMessage = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_char_p)
AccessBlocks = ctypes.CFUNCTYPE(
    ctypes.POINTER(ctypes.c_void_p),
    ctypes.c_void_p,
    ctypes.c_void_p,
    ctypes.c_uint,
    ctypes.c_uint,
    ctypes.c_int,
)


class TranscodeError(Exception):
    """libjpeg cannot read or write this file's coefficients; the message is libjpeg's own."""


def _compress(*, scales: bool) -> type[ctypes.Structure]:
    """The head of ``struct jpeg_compress_struct``, as far as settings are needed; ABI 7 has ``scales``."""

    def only(*fields: tuple[str, Any]) -> tuple[tuple[str, Any], ...]:
        return fields if scales else ()

    fields = [
        ("err", ctypes.c_void_p),
        ("mem", ctypes.c_void_p),
        ("progress", ctypes.c_void_p),
        ("client_data", ctypes.c_void_p),
        ("is_decompressor", ctypes.c_int),
        ("global_state", ctypes.c_int),
        ("dest", ctypes.c_void_p),
        ("image_width", ctypes.c_uint),
        ("image_height", ctypes.c_uint),
        ("input_components", ctypes.c_int),
        ("in_color_space", ctypes.c_int),
        ("input_gamma", ctypes.c_double),
        *only(("scale", ctypes.c_uint * 2), ("jpeg_size", ctypes.c_uint * 2)),
        ("data_precision", ctypes.c_int),
        ("num_components", ctypes.c_int),
        ("jpeg_color_space", ctypes.c_int),
        ("comp_info", ctypes.c_void_p),
        ("quant_tbl_ptrs", ctypes.c_void_p * 4),
        *only(("q_scale_factor", ctypes.c_int * 4)),
        ("dc_huff_tbl_ptrs", ctypes.c_void_p * 4),
        ("ac_huff_tbl_ptrs", ctypes.c_void_p * 4),
        ("arith_dc_L", ctypes.c_ubyte * 16),
        ("arith_dc_U", ctypes.c_ubyte * 16),
        ("arith_ac_K", ctypes.c_ubyte * 16),
        ("num_scans", ctypes.c_int),
        ("scan_info", ctypes.c_void_p),
        ("raw_data_in", ctypes.c_int),
        ("arith_code", ctypes.c_int),
        ("optimize_coding", ctypes.c_int),
        ("CCIR601_sampling", ctypes.c_int),
        *only(("do_fancy_downsampling", ctypes.c_int)),
        ("smoothing_factor", ctypes.c_int),
        ("dct_method", ctypes.c_int),
        ("restart_interval", ctypes.c_uint),
    ]
    return type("Compress", (ctypes.Structure,), {"_fields_": fields})


class Component(ctypes.Structure):
    """``struct jpeg_component_info``; ABI 6.2 has one size less, and a gap."""

    _fields_ = [
        ("identity_and_sampling", ctypes.c_int * 4),
        ("quant_table_number", ctypes.c_int),
        ("entropy_tables", ctypes.c_int * 2),
        ("width_in_blocks", ctypes.c_uint),
        ("height_in_blocks", ctypes.c_uint),
        ("sizes_in_samples_and_mcus", ctypes.c_int * 11),
        ("quant_table", ctypes.c_void_p),
        ("dct_table", ctypes.c_void_p),
    ]


class Decompress(ctypes.Structure):
    """The head of ``struct jpeg_decompress_struct``, as far as the frame's layout is needed."""

    _fields_ = [
        ("err", ctypes.c_void_p),
        ("mem", ctypes.c_void_p),
        ("progress", ctypes.c_void_p),
        ("client_data", ctypes.c_void_p),
        ("is_decompressor", ctypes.c_int),
        ("global_state", ctypes.c_int),
        ("src", ctypes.c_void_p),
        ("image_width", ctypes.c_uint),
        ("image_height", ctypes.c_uint),
        ("num_components", ctypes.c_int),
        ("colour_spaces_and_scale", ctypes.c_int * 4),
        ("output_gamma", ctypes.c_double),
        ("output_options", ctypes.c_int * 12),
        ("output_sizes", ctypes.c_int * 6),
        ("colormap", ctypes.c_void_p),
        ("progress_counts", ctypes.c_uint * 5),
        ("coef_bits", ctypes.c_void_p),
        ("quant_tables", ctypes.c_void_p * 4),
        ("entropy_tables", ctypes.c_void_p * 8),
        ("data_precision", ctypes.c_int),
        ("comp_info", ctypes.POINTER(Component)),
    ]


class _Threads:
    """Threads of the system's, without any Python in them."""

    def __init__(self) -> None:
        self.system = ctypes.CDLL(None)
        self.exit = ctypes.cast(self.system.pthread_exit, ctypes.c_void_p).value
        """The function that ends the thread that calls it; its argument is what the thread answers."""

    def call(self, function: Any, argument: Any) -> int:
        """Run a function of one argument in a thread of its own and wait for it.

        Raises:
            TranscodeError: there is no room for another thread.
        """
        thread, answer = ctypes.c_void_p(), ctypes.c_void_p()
        if self.system.pthread_create(ctypes.byref(thread), None, function, argument):
            raise TranscodeError("no thread can be started")
        self.system.pthread_join(thread, ctypes.byref(answer))
        return answer.value or 0


THREADS = (
    None if sys.platform == "win32" else _Threads()
)  # there an answer has 32 bits, too few for a pointer


@dataclass(frozen=True, slots=True)
class Library:
    """A build of libjpeg-turbo.

    libjpeg itself compares version and sizes when a session opens, so another build ends in TranscodeError
    and not in wild memory.

    Attributes:
        functions: the library.
        version: of its ABI, as libjpeg numbers it.
        compress_size, decompress_size: bytes of its structures.
        compress: the head of the first.
        suffix: of its functions' names that read from and write to memory.
    """

    functions: Any
    version: int
    compress_size: int
    decompress_size: int
    compress: type[ctypes.Structure]
    suffix: str


def _candidates() -> Iterator[tuple[Path, bool]]:
    """Where it may lie, and whether that is jpeglib's."""
    for package, inside in (("PIL", "../pillow.libs"), ("PIL", ".dylibs"), ("jpeglib", "cjpeglib")):
        found = importlib.util.find_spec(package)
        for place in (found.submodule_search_locations or ()) if found is not None else ():
            if package == "jpeglib":
                files = Path(place, inside).glob("cjpeglib_turbo210.*")
                yield from ((file, True) for file in files if file.suffix in {".so", ".pyd", ".dll"})
            else:
                yield from ((file, False) for file in Path(place, inside).resolve().glob("libjpeg*62*"))


@cache
def load() -> Library:
    """The first that is there; neither Pillow nor jpeglib is imported.

    Raises:
        TranscodeError: there is none, or this machine is not a 64-bit one.
    """
    if ctypes.sizeof(ctypes.c_void_p) != 8:
        raise TranscodeError("only 64-bit machines are supported")
    path, is_old = next(_candidates(), (None, False))
    if path is None:
        raise TranscodeError("no libjpeg-turbo lies beside Pillow: pip install jpeglib")
    functions = ctypes.CDLL(str(path))
    functions.jpeg_std_error.restype = ctypes.c_void_p
    functions.jpeg_read_coefficients.restype = ctypes.POINTER(ctypes.c_void_p)
    if is_old:
        return Library(functions, 70, 568, 640, _compress(scales=True), "_tj")
    return Library(functions, 62, 520, 632, _compress(scales=False), "")
