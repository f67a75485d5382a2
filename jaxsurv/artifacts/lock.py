"""A lock on a results folder, so that one process at a time writes there."""

import json
import os
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary, finalize

from jaxsurv.types import InputError

try:
    import fcntl
except ImportError:  # where the system has no such locks, none is taken
    fcntl = None

_HELD: WeakValueDictionary[Path, "Lock"] = WeakValueDictionary()  # those of this process


class Lock:
    """Lock that this process holds until `release`, until nothing refers to it, or until it dies.

    The system's own lock of a file: nothing is left to clear after a kill. Processes on several hosts
    see each other's where the file system shares locks, as NFS does.

    Args:
        file: file that is locked, created if absent, with host and number of the process that holds it.

    Raises:
        InputError: another process holds it; the message says which.
        OSError: the file cannot be written.
    """

    def __init__(self, file: Path) -> None:
        while True:
            handle = os.open(file, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o666)
            self.release = finalize(self, _release, handle, file, os.getpid())
            try:
                if fcntl is not None:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                self.release.detach()
                os.close(handle)
                raise InputError(
                    f"{file.parent} is being written by {_holder(file)}; wait for it or end it, or choose "
                    "another folder"
                ) from error
            except OSError:  # a file system without locks
                pass
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(handle), file.stat()):
                    break
            self.release.detach()  # the one who held it has just removed the file
            os.close(handle)
        os.truncate(handle, 0)
        os.write(
            handle, json.dumps({"host": socket.gethostname(), "process": os.getpid()}).encode()
        )


def lock(file: Path) -> Lock:
    """The lock of a file; the same one for all who ask for it in this process while it is held."""
    file = file.resolve()
    held = _HELD.get(file)
    if held is None or not held.release.alive:
        held = _HELD[file] = Lock(file)
    return held


def _release(handle: int, file: Path, process: int) -> None:
    with suppress(OSError):
        if os.getpid() == process:  # a forked process leaves its parent's lock
            file.unlink()
    with suppress(OSError):
        os.close(handle)


def _holder(file: Path) -> str:
    try:
        who: Any = json.loads(file.read_text("utf-8"))
        return f"process {int(who['process'])} on {who['host']!s}"
    except (OSError, ValueError, TypeError, KeyError):
        return "another process"
