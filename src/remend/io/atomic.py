"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from remend.errors import WriteError
from remend.io.read import printable

__all__ = ["existing", "write_whole"]


def existing(path: Path) -> WriteError:
    """The error for a file that must not be replaced."""
    return WriteError(f"{printable(path)}: exists already: choose another name, or give --overwrite")


def write_whole(path: Path, data: bytes, *, overwrite: bool) -> None:
    """Write a file, whole or not at all.

    The bytes go to a new file in the same folder, to the disk, and only then under the name.

    Args:
        path: the file; its folder must exist.
        data: all of it.
        overwrite: replace an existing file; its permissions stay, and a link is written through.
            Otherwise an existing file is refused, also one that appears while this is being written.

    Raises:
        WriteError: it exists, or the folder or the disk does not take it.
    """
    try:
        final = _followed(path) if overwrite and path.is_symlink() else path
        mode = stat.S_IMODE(final.stat().st_mode) if overwrite and final.exists() else None
        # a new file's permissions come from the process's umask, so O_CREAT and not mkstemp's 0600
        draft = final.with_name(f".remend-{secrets.token_hex(8)}.tmp")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    except (OSError, RuntimeError, ValueError) as error:
        raise _unwritable(path, error) from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            draft.chmod(mode)
        if overwrite:
            draft.replace(final)
        else:
            _claim(draft, final)
    except FileExistsError:
        raise existing(path) from None
    except (OSError, ValueError) as error:
        raise _unwritable(path, error) from error
    finally:
        draft.unlink(missing_ok=True)


def _followed(link: Path) -> Path:
    """Where a link leads, also if nothing is there yet; an error if it leads round."""
    with suppress(FileNotFoundError):
        link.stat()  # since Python 3.13 Path.resolve says nothing of loops
    return link.resolve()


def _claim(draft: Path, final: Path) -> None:
    """Give the draft its name, only if nobody has it: a hard link, or a placeholder where there are none."""
    try:
        os.link(draft, final)
    except FileExistsError:
        raise
    except OSError:
        os.close(os.open(final, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
        try:
            draft.replace(final)
        except OSError:
            final.unlink(missing_ok=True)
            raise


def _unwritable(path: Path, error: Exception) -> WriteError:
    reason = getattr(error, "strerror", None) or error
    return WriteError(f"{printable(path)}: cannot be written: {reason}")
