"""TensorBoard: the logged numbers as curves, and the grids of fixed samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
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

    def settings(self, recipe: Mapping[str, Any], scores: Sequence[str]) -> None:
        """Put the recipe's numbers and words into the table of hyperparameters, beside the scores.

        Args:
            recipe: plain values, sections as tables.
            scores: names of validation's.
        """
        if self._writer is None:
            return
        from torch.utils.tensorboard.summary import hparams

        values = dict(_flat(recipe))
        for entry in hparams(values, dict.fromkeys((f"validation/{name}" for name in scores), 0.0)):
            self._writer._get_file_writer().add_summary(entry)

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


def _flat(table: Mapping[str, Any], head: str = "") -> Iterator[tuple[str, float | str | bool]]:
    """``section.key`` and a value of a kind that TensorBoard has, lists as text."""
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{head}{key}.")
        else:
            yield head + key, value if isinstance(value, bool | int | float | str) else str(value)
