"""TensorBoard: the logged numbers as curves, and the grids of fixed samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from remend.errors import WriteError
from remend.train.run.validation import Pixels

__all__ = ["Board"]


class Board:
    """Event files for ``tensorboard --logdir RUN``; absent, after one line, where it is not installed.

    Args:
        folder: for the event files; None = write nothing.
        samples_seen: what was written beyond this is hidden: it is about to be learned again.
        say: told if there is no TensorBoard.

    Raises:
        WriteError: the folder cannot be made.
    """

    def __init__(self, folder: Path | None, samples_seen: int, say: Callable[[str], None]) -> None:
        self._writer: Any = None
        if folder is None:
            return
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            say("no TensorBoard here, curves are in log.csv alone: pip install tensorboard")
            return
        try:
            self._writer = SummaryWriter(str(folder), purge_step=samples_seen + 1, flush_secs=30)
        except OSError as error:
            raise WriteError(f"{folder} cannot be written ({error.strerror}): make room") from error

    def scalars(self, samples_seen: int, row: Mapping[str, float], group: str) -> None:
        """Add a point to each curve ``group/name``."""
        if self._writer is not None:
            for name, value in row.items():
                self._writer.add_scalar(f"{group}/{name}", value, samples_seen)

    def grid(self, samples_seen: int, sheet: Pixels) -> None:
        """Add the fixed samples as they are filled now: (H, W, 3) uint8."""
        if self._writer is not None:
            self._writer.add_image("fixed samples", sheet, samples_seen, dataformats="HWC")

    def close(self) -> None:
        """Write what is waiting."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
