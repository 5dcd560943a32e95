"""Files that are written whole or not at all.

A process that is killed leaves its draft behind. The next one that writes into the folder takes it away, if
nobody is writing it any more: whoever writes holds a lock, which ends with the process.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from remend.errors import WriteError
from remend.io.read import printable

try:
    import fcntl
except ImportError:  # Windows, where a file that is open cannot be taken away
    fcntl = None  # type: ignore[assignment]

__all__ = ["DRAFT", "existing", "sweep", "write_whole"]

DRAFT = re.compile(r"\.remend-[0-9a-f]{16}\.tmp")
STRAY_AFTER_S = 60.0  # since the last write; a draft has its lock a moment after it is made


def existing(path: Path) -> WriteError:
    """The error for a file that must not be replaced."""
    return WriteError(f"{printable(path)}: exists already: choose another name, or give --overwrite")


def write_whole(path: Path, data: bytes | Callable[[BinaryIO], None], *, overwrite: bool) -> None:
    """Write a file, whole or not at all.

    The bytes go to a new file in the same folder, to the disk, and only then under the name.

    Args:
        path: the file; its folder must exist.
        data: all of it; or what writes it into the new file, opened for reading and writing, in any order.
        overwrite: replace an existing file; its permissions stay, and a link is written through.
            Otherwise an existing file is refused, also one that appears while this is being written.

    Raises:
        WriteError: it exists, or the folder or the disk does not take it.
    """
    try:
        final = _followed(path) if overwrite and path.is_symlink() else path
        mode = stat.S_IMODE(final.stat().st_mode) if overwrite and final.exists() else None
        # a new file's permissions come from the process's umask, so O_CREAT and not mkstemp's 0600
        sweep_once(final.parent.absolute())
        draft = final.with_name(f".remend-{secrets.token_hex(8)}.tmp")
        handle = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    except (OSError, RuntimeError, ValueError) as error:
        raise _unwritable(path, error) from error
    lock = os.dup(handle) if fcntl is not None else None  # held until the draft has its name
    try:
        if lock is not None:
            with suppress(OSError):  # a file system without locks
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with os.fdopen(handle, "w+b") as file:
            if callable(data):
                data(file)
            else:
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
        if lock is not None:
            os.close(lock)


def sweep(folder: Path) -> int:
    """Take away the drafts that killed processes left in a folder; how many there were.

    Only regular files of our own with a draft's name, not written for a minute, that nobody has locked.
    What cannot be looked at or taken away stays, without a word.

    Cost: a look at every name in the folder.
    """
    taken = 0
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if DRAFT.fullmatch(entry.name):
                with suppress(OSError):
                    taken += _take_away(Path(entry.path))
    return taken


sweep_once = lru_cache(maxsize=1024)(sweep)


def _take_away(draft: Path) -> bool:
    found = draft.lstat()
    mine = not hasattr(os, "geteuid") or found.st_uid == os.geteuid()
    if not stat.S_ISREG(found.st_mode) or not mine or time.time() - found.st_mtime < STRAY_AFTER_S:
        return False
    if fcntl is None:
        draft.unlink()
        return True
    handle = os.open(draft, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails while somebody writes it
        if not os.path.samestat(os.fstat(handle), draft.lstat()):  # somebody else was quicker
            return False
        draft.unlink()
    finally:
        os.close(handle)
    return True


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
