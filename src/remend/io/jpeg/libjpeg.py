"""A lossless door into a JPEG: read its DCT coefficients, change some blocks, write all of them back.

What `jpegtran` does, by the libjpeg-turbo that the ``jpeglib`` wheel carries, called through ctypes
instead of through ``jpeglib``'s own functions, for these reasons: those cannot write progressive
files nor the fourth component, hold every coefficient four times over, and end the *process* on a
damaged file, because libjpeg's default error handler calls ``exit()``.

libjpeg's error handler must not return to libjpeg, and Python cannot ``longjmp``. So a transcoding
runs in a thread of its own; on an error the handler frees libjpeg's memory, reports, and the thread
is parked for ever (a daemon: it costs its stack, some kilobytes, and does not hold up the exit).
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
        self.lib = abi.load()
        self.data = data
        self.edit = edit
        self.progressive = progressive
        self.arithmetic = arithmetic
        self.optimise = optimise
        self.restart_interval = restart_interval
        self.target = np.empty(0, np.uint8)
        self.errors = ctypes.create_string_buffer(abi.ROOM)
        self.reader = ctypes.create_string_buffer(abi.ROOM)
        self.writer = ctypes.create_string_buffer(abi.ROOM)
        self.warnings: list[str] = []
        self.failure: BaseException | None = None
        self.done = threading.Event()
        self.result = b""
        # the callbacks must outlive every call, so they live here
        self.callbacks: tuple[Any, ...] = (
            abi.ErrorExit(self._fail),
            abi.EmitMessage(self._warn),
            abi.ErrorExit(self._ignore),
        )

    def _message(self, cinfo: int) -> str:
        slots = ctypes.cast(self.errors, ctypes.POINTER(ctypes.c_void_p))
        text = ctypes.create_string_buffer(256)
        abi.FormatMessage(slots[abi.FORMAT_MESSAGE] or 0)(cinfo, text)
        return text.value.decode("latin-1")

    def _fail(self, cinfo: int) -> NoReturn:
        """libjpeg's ``error_exit``. It may not return: see the module's head."""
        self.failure = TranscodeError(self._message(cinfo))
        self._close()
        # what the parked thread would otherwise hold for ever
        self.data, self.edit, self.target = b"", None, np.empty(0, np.uint8)
        self.done.set()
        while True:
            threading.Event().wait()

    def _warn(self, cinfo: int, level: int) -> None:
        if level < 0 and len(self.warnings) < 16:
            self.warnings.append(self._message(cinfo))

    def _ignore(self, cinfo: int) -> None:
        """libjpeg would print to standard error here."""

    def _open(self) -> None:
        self.lib.jpeg_std_error(self.errors)
        slots = ctypes.cast(self.errors, ctypes.POINTER(ctypes.c_void_p))
        for index, callback in enumerate(self.callbacks):
            slots[index] = ctypes.cast(callback, ctypes.c_void_p).value
        for cinfo in (self.reader, self.writer):
            ctypes.cast(cinfo, ctypes.POINTER(ctypes.c_void_p))[0] = ctypes.addressof(self.errors)
        self.lib.jpeg_CreateDecompress(self.reader, abi.ABI, ctypes.c_size_t(abi.DECOMPRESS_SIZE))
        self.lib.jpeg_CreateCompress(self.writer, abi.ABI, ctypes.c_size_t(abi.COMPRESS_SIZE))

    def _close(self) -> None:
        # a structure that was never created has a null memory manager, which libjpeg lets pass
        self.lib.jpeg_destroy(self.writer)
        self.lib.jpeg_destroy(self.reader)

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
        """Run in a thread, wait for it, and raise what it raised."""
        threading.Thread(target=self._run, name="remend-jpeg", daemon=True).start()
        self.done.wait()
        if self.failure is not None:
            raise self.failure
        return self

    def _run(self) -> None:
        """The body of the thread."""
        try:
            self._open()
            try:
                self._work()
            finally:
                self._close()
        except BaseException as error:  # handed to the thread that asked
            self.failure = error
        finally:
            self.done.set()

    def _work(self) -> None:
        """Read; and where there is an edit, let it work and write."""
        lib, reader, writer = self.lib, self.reader, self.writer
        lib.jpeg_mem_src_tj(reader, self.data, ctypes.c_ulong(len(self.data)))
        lib.jpeg_read_header(reader, 1)
        frame = abi.Decompress.from_buffer(reader)
        if frame.data_precision != 8:
            raise TranscodeError(f"{frame.data_precision} bits a sample")
        arrays = lib.jpeg_read_coefficients(reader)
        if self.edit is None:
            return
        self.edit(self._rows(arrays))
        lib.jpeg_copy_critical_parameters(reader, writer)
        settings = abi.Compress.from_buffer(writer)
        settings.optimize_coding = 1 if self.optimise and not self.arithmetic else 0
        settings.arith_code = 1 if self.arithmetic else 0
        settings.restart_interval = self.restart_interval
        if self.progressive:
            lib.jpeg_simple_progression(writer)
        # more than noise takes at the finest tables; pages that are never written cost no memory
        samples = frame.image_width * frame.image_height * frame.num_components
        self.target = np.empty(2 * (len(self.data) + samples) + (1 << 16), np.uint8)
        address = ctypes.c_void_p(self.target.ctypes.data)
        size = ctypes.c_ulong(self.target.size)
        lib.jpeg_mem_dest_tj(writer, ctypes.byref(address), ctypes.byref(size), 0)
        lib.jpeg_write_coefficients(writer, arrays)
        lib.jpeg_finish_compress(writer)
        self.result = self.target[: size.value].tobytes()


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
