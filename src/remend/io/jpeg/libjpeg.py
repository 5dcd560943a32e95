"""A lossless door into a JPEG: read its DCT coefficients, change some blocks, write all of them back.

What `jpegtran` does, by the libjpeg-turbo that Pillow's wheel carries, or jpeglib's, called through ctypes.
``jpeglib``'s own functions cannot write progressive files nor the fourth component, hold every coefficient
four times over, and end the *process* on a damaged file, because libjpeg's default error handler calls
``exit()``.

libjpeg's error handler must not return to libjpeg, and Python cannot ``longjmp``. So whatever reads or
writes a file's data runs in a thread of the system's without any Python in it, and the error handler is the
function that ends such a thread. What takes more than one argument runs in a Python thread, which an error
would leave asleep; but what it could refuse of a file is looked at before, and the rest is want of memory.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from typing import Any, NoReturn, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from remend.io.jpeg import libjpeg_abi as abi
from remend.io.jpeg.libjpeg_abi import TranscodeError

__all__ = ["BlockRows", "TranscodeError", "decoding_warnings", "transcode"]

Coefficients = NDArray[np.int16]

MOST_WARNINGS = 16  # of a file; broken data have thousands


class BlockRows(Protocol):
    """The coefficients while a file is open."""

    def __call__(self, component: int, row: int) -> Coefficients:
        """Block row ``row`` of a component: (blocks, 64) int16, quantised, natural order.

        A view into libjpeg's memory: what is assigned is written; void once the edit returns.
        """


class _Session:
    """One file being transcoded: libjpeg's structures, kept alive while libjpeg may look at them."""

    def __init__(
        self,
        data: bytes,
        edit: Callable[[BlockRows], None] | None = None,
        *,
        progressive: bool = False,
        arithmetic: bool = False,
        optimise: bool = False,
        restart_interval: int = 0,
    ) -> None:
        self.build = abi.load()
        self.lib = self.build.functions
        self.data = data
        self.edit = edit
        self.progressive = progressive
        self.arithmetic = arithmetic
        self.optimise = optimise
        self.restart_interval = restart_interval
        self.errors = ctypes.create_string_buffer(abi.ROOM)
        self.reader = ctypes.create_string_buffer(abi.ROOM)
        self.writer = ctypes.create_string_buffer(abi.ROOM)
        self.slots = ctypes.cast(self.errors, ctypes.POINTER(ctypes.c_void_p))
        self.counted = ctypes.c_long.from_buffer(self.errors, abi.WARNINGS_COUNTED)
        self.warnings: list[str] = []
        self.callbacks: list[Any] = []  # they must outlive every call
        self.result = b""

    def _message(self, cinfo: Any) -> str:
        text = ctypes.create_string_buffer(256)
        abi.FormatMessage(self.slots[abi.FORMAT_MESSAGE] or 0)(cinfo, text)
        return text.value.decode("latin-1")

    def _warn(self, cinfo: int) -> None:
        """libjpeg would print a file's first warning here, and say no more."""
        self.warnings.append(self._message(cinfo))
        if len(self.warnings) < MOST_WARNINGS:
            self.counted.value = -1  # to which it adds one

    def _set(self, slot: int, callback: Any) -> None:
        self.callbacks.append(callback)
        self.slots[slot] = ctypes.cast(callback, ctypes.c_void_p).value

    def _open(self) -> None:
        handler = self.slots[abi.ERROR_EXIT]
        self.lib.jpeg_std_error(self.errors)
        self.slots[abi.ERROR_EXIT] = handler
        self._set(abi.OUTPUT_MESSAGE, abi.Handler(self._warn))
        for cinfo in (self.reader, self.writer):
            ctypes.cast(cinfo, ctypes.POINTER(ctypes.c_void_p))[0] = ctypes.addressof(self.errors)
        build = self.build
        self.lib.jpeg_CreateDecompress(self.reader, build.version, ctypes.c_size_t(build.decompress_size))
        self.lib.jpeg_CreateCompress(self.writer, build.version, ctypes.c_size_t(build.compress_size))
        read_from = getattr(self.lib, f"jpeg_mem_src{build.suffix}")
        read_from(self.reader, self.data, ctypes.c_ulong(len(self.data)))

    def _close(self) -> None:
        # a structure that was never created has a null memory manager, which libjpeg lets pass
        self.lib.jpeg_destroy(self.writer)
        self.lib.jpeg_destroy(self.reader)

    def _ended_by_errors(self, function: Any, cinfo: Any) -> int:
        """What ``function(cinfo)`` answers; the address of ``cinfo`` where an error has ended it."""
        if abi.THREADS is None:
            answers: list[int] = []
            self._asleep_after_errors(lambda: answers.append(function(cinfo)))
            return answers[0]
        self.slots[abi.ERROR_EXIT] = abi.THREADS.exit
        return abi.THREADS.call(function, cinfo)

    def _asleep_after_errors(self, call: Callable[[], None]) -> None:
        """Run ``call`` in a thread that sleeps for ever if libjpeg ends it by an error, and raise that."""
        done = threading.Event()
        failures: list[BaseException] = []

        def fail(cinfo: int) -> NoReturn:
            failures.append(TranscodeError(self._message(cinfo)))
            done.set()
            while True:
                threading.Event().wait()

        def run() -> None:
            try:
                call()
            except BaseException as error:  # handed to the thread that asked
                failures.append(error)
            done.set()

        self._set(abi.ERROR_EXIT, abi.Handler(fail))
        threading.Thread(target=run, name="remend-jpeg", daemon=True).start()
        done.wait()
        if failures:
            raise failures[0]

    def _rows(self, arrays: Any) -> BlockRows:
        frame = abi.Decompress.from_buffer(self.reader)
        address = ctypes.addressof(self.reader)
        manager = ctypes.cast(frame.mem, ctypes.POINTER(ctypes.c_void_p))
        access = abi.AccessBlocks(manager[abi.ACCESS_VIRT_BARRAY] or 0)
        # the lengths of the views are libjpeg's own, so that no file can lead them astray
        kinds = [
            ctypes.c_int16 * (64 * frame.comp_info[index].width_in_blocks)
            for index in range(frame.num_components)
        ]

        def row(component: int, row: int) -> Coefficients:
            kind = kinds[component]
            first = access(address, arrays[component], row, 1, 1)[0]
            view: Coefficients = np.frombuffer(cast(Any, kind.from_address(first)), np.int16)
            return view.reshape(-1, 64)

        return row

    def finished(self) -> _Session:
        """Read; and where there is an edit, let it work and write."""
        if not self.data:
            raise TranscodeError("empty")
        try:
            self._asleep_after_errors(self._open)
            arrays = self._read()
            if self.edit is not None:
                self._write(arrays)
        finally:
            self._close()
        return self

    def _read(self) -> Any:
        frame = abi.Decompress.from_buffer(self.reader)
        reached = self._ended_by_errors(self.lib.jpeg_consume_input, self.reader) & 0xFFFFFFFF
        if reached == abi.REACHED_END:
            raise TranscodeError("JPEG datastream contains no image")
        if reached != abi.REACHED_SCAN:
            raise TranscodeError(self._message(self.reader))
        if frame.data_precision != 8:
            raise TranscodeError(f"{frame.data_precision} bits a sample")
        arrays = self._ended_by_errors(self.lib.jpeg_read_coefficients, self.reader)
        if arrays in (0, ctypes.addressof(self.reader)):
            raise TranscodeError(self._message(self.reader))
        for component in frame.comp_info[: frame.num_components]:
            table = frame.quant_tables[component.quant_table_number]
            used = component.quant_table
            if not table or not used or ctypes.string_at(table, 128) != ctypes.string_at(used, 128):
                raise TranscodeError("a quantisation table is missing, or was replaced between scans")
        return ctypes.cast(arrays, ctypes.POINTER(ctypes.c_void_p))

    def _write(self, arrays: Any) -> None:
        lib, writer = self.lib, self.writer
        frame = abi.Decompress.from_buffer(self.reader)
        settings: Any = self.build.compress.from_buffer(writer)
        write_to = getattr(lib, f"jpeg_mem_dest{self.build.suffix}")
        # more than noise takes at the finest tables; pages that are never written cost no memory
        samples = frame.image_width * frame.image_height * frame.num_components
        target = np.empty(2 * (len(self.data) + samples) + (1 << 16), np.uint8)
        address, size = ctypes.c_void_p(target.ctypes.data), ctypes.c_ulong(target.size)

        def begin() -> None:
            assert self.edit is not None
            self.edit(self._rows(arrays))
            lib.jpeg_copy_critical_parameters(self.reader, writer)
            settings.optimize_coding = 1 if self.optimise and not self.arithmetic else 0
            settings.arith_code = 1 if self.arithmetic else 0
            settings.restart_interval = self.restart_interval
            if self.progressive:
                lib.jpeg_simple_progression(writer)
            write_to(writer, ctypes.byref(address), ctypes.byref(size), 0)
            lib.jpeg_write_coefficients(writer, arrays)

        self._asleep_after_errors(begin)
        self._ended_by_errors(lib.jpeg_finish_compress, writer)
        if settings.global_state != abi.AT_START:
            raise TranscodeError(self._message(writer))
        self.result = target[: size.value].tobytes()


def decoding_warnings(data: bytes) -> list[str]:
    """What libjpeg has to say against a file's coded data; empty for a sound one.

    Raises:
        TranscodeError: libjpeg cannot read it at all.

    Cost: entropy decoding only, 0.05 s at 12 megapixels; 2 bytes a coefficient.
    """
    return _Session(data).finished().warnings


def transcode(
    data: bytes,
    edit: Callable[[BlockRows], None],
    *,
    progressive: bool = False,
    arithmetic: bool = False,
    optimise: bool = True,
    restart_interval: int = 0,
) -> tuple[bytes, list[str]]:
    """Rewrite a JPEG stream losslessly but for the blocks that ``edit`` changes.

    Args:
        data: a JPEG stream of 8-bit DCT coding, sequential or progressive, Huffman or arithmetic.
        edit: called once, in another thread, with the access to the block rows; a row is a view.
        progressive: write progressively, by libjpeg's standard script.
        arithmetic: write with arithmetic coding instead of Huffman's.
        optimise: make Huffman tables for this picture (a second pass), instead of the standard's
            examples. Ignored for progressive and arithmetic coding.
        restart_interval: restart interval to write, in MCUs; 0 for none.

    Returns:
        The new stream, SOI to EOI, and libjpeg's warnings (damaged data it decoded around).

    Raises:
        TranscodeError: what libjpeg cannot read or write. The process always survives.

    Cost: 2 bytes a coefficient, held once, and two passes of entropy coding; about 0.2 s at 12 megapixels.
    """
    session = _Session(
        data,
        edit,
        progressive=progressive,
        arithmetic=arithmetic,
        optimise=optimise,
        restart_interval=restart_interval,
    ).finished()
    return session.result, session.warnings
