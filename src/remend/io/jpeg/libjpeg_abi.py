"""The libjpeg-turbo inside the ``jpeglib`` wheel, and as much of its binary interface as is used.

Only the heads of libjpeg's structures are spelt out, up to the last field that is needed.
"""

from __future__ import annotations

import ctypes
import importlib.util
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["Compress", "Decompress", "TranscodeError", "load"]

# The build in the wheel follows libjpeg's ABI 7. libjpeg itself compares this number and both sizes
# when a session opens, so another build ends in TranscodeError and not in wild memory.
LIBRARY = "cjpeglib_turbo210."
ABI = 70
COMPRESS_SIZE = 568
DECOMPRESS_SIZE = 640
ROOM = 1024  # what is allocated for each of libjpeg's structures, more than any of them needs
# places among the function pointers of struct jpeg_memory_mgr
REQUEST_VIRT_BARRAY, ACCESS_VIRT_BARRAY = 5, 8
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
RequestBlocks = ctypes.CFUNCTYPE(
    ctypes.c_void_p,
    ctypes.c_void_p,
    ctypes.c_int,
    ctypes.c_int,
    ctypes.c_uint,
    ctypes.c_uint,
    ctypes.c_uint,
)
AccessBlocksOf = ctypes.CFUNCTYPE(  # AccessBlocks as one that is called, which answers an address
    ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint, ctypes.c_int
)


class TranscodeError(Exception):
    """libjpeg cannot read or write this file's coefficients; the message is libjpeg's own."""


class Compress(ctypes.Structure):
    """The head of ``struct jpeg_compress_struct`` (ABI 7), as far as its settings are needed."""

    _fields_ = [
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
        ("scale_num", ctypes.c_uint),
        ("scale_denom", ctypes.c_uint),
        ("jpeg_width", ctypes.c_uint),
        ("jpeg_height", ctypes.c_uint),
        ("data_precision", ctypes.c_int),
        ("num_components", ctypes.c_int),
        ("jpeg_color_space", ctypes.c_int),
        ("comp_info", ctypes.c_void_p),
        ("quant_tbl_ptrs", ctypes.c_void_p * 4),
        ("q_scale_factor", ctypes.c_int * 4),
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
        ("do_fancy_downsampling", ctypes.c_int),
        ("smoothing_factor", ctypes.c_int),
        ("dct_method", ctypes.c_int),
        ("restart_interval", ctypes.c_uint),
    ]


class Component(ctypes.Structure):
    """``struct jpeg_component_info`` (ABI 7)."""

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
    """The head of ``struct jpeg_decompress_struct`` (ABI 7), as far as the frame's layout is needed."""

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


@cache
def load() -> ctypes.CDLL:
    """The libjpeg-turbo inside the ``jpeglib`` wheel (its Python side is not imported)."""
    found = importlib.util.find_spec("jpeglib")
    places: Iterator[Path] = iter(())
    if found is not None and found.submodule_search_locations:
        folder = Path(found.submodule_search_locations[0]) / "cjpeglib"
        places = (f for f in folder.glob(f"{LIBRARY}*") if f.suffix in {".so", ".pyd", ".dll"})
    path = next(places, None)
    if path is None:
        raise TranscodeError("the jpeglib package brings no libjpeg-turbo for this machine")
    if ctypes.sizeof(ctypes.c_void_p) != 8:
        raise TranscodeError("only 64-bit machines are supported")
    library = ctypes.CDLL(str(path))
    library.jpeg_std_error.restype = ctypes.c_void_p
    library.jpeg_read_coefficients.restype = ctypes.POINTER(ctypes.c_void_p)
    return library
