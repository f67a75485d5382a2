"""Files as users have them: regular ones only, opened as UTF-8 text, and named in every error."""

import csv
import glob
import gzip
import io
import json
import os
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from jaxsurv.data.problems import listing
from jaxsurv.types import InputError

_GZIP = b"\x1f\x8b"
_ZIP, _OLD_EXCEL, _SHEETS = b"PK\x03\x04", b"\xd0\xcf\x11\xe0", ("xl/", "content.xml")
_SAVE = "save it as UTF-8"
# First bytes of what is no UTF-8 text, and the fix.
_OTHERS = {
    b"\xff\xfe": ("UTF-16 text", _SAVE),
    b"\xfe\xff": ("UTF-16 text", _SAVE),
    _ZIP: ("an Excel workbook or a zip archive", "save the table in it as UTF-8 text"),
    _GZIP: ("compressed twice", "uncompress it once"),
    b"BZh91AY": ("a bzip2 file", "uncompress it"),
    b"\xfd7zXZ": ("an xz file", "uncompress it"),
    b"\x28\xb5\x2f\xfd": ("a Zstandard file", "uncompress it"),
    b"PAR1": ("a Parquet file", "save the table as UTF-8 text"),
    b"\x89HDF": ("an HDF5 file", "save the table as UTF-8 text"),
    b"<!DOCTYPE": ("a web page", "download the file itself"),
    b"<html": ("a web page", "download the file itself"),
    b"version https://git-lfs": ("a pointer of Git LFS", "fetch the file with git lfs pull"),
}
WORKBOOKS = (".xlsx", ".xls", ".xlsm", ".xlsb", ".ods")
_LINE = 1 << 26  # bytes; a row of a million numbers has less
_ERRORS = (
    *(ValueError, OSError, EOFError, MemoryError),
    *(csv.Error, zlib.error, zipfile.BadZipFile),
)
_LARGE, _SWELLS = 1 << 30, 200  # bytes, and times the size on disk: text has 3 to 20


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Context in which every error names the file."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except _ERRORS as error:
        told = f"cannot be read ({error}); store or download it again"
        if isinstance(error, OSError) and error.errno:  # such as "Permission denied"
            told = str(error.strerror)
        raise InputError(f"{path}: {told}") from error


@contextmanager
def noting(path: Path, problems: list[str]) -> Iterator[None]:
    """Context in which an error is added to ``problems``, so that all files can be looked at first."""
    with listing(problems), naming(path):
        yield


def require_file(path: Path) -> None:
    """Raise unless the path is a regular file: a pipe or a device would be waited for.

    Raises:
        InputError: nothing there, or something else.
    """
    try:
        mode = path.stat().st_mode
    except NotADirectoryError as error:
        require_file(path.parent)  # a workbook in the place of a folder
        raise InputError(f"{path.parent.name} is a file, not a folder") from error
    except FileNotFoundError as error:
        beside = workbook_beside(path) or "; check the name, or the link"
        raise InputError(f"no such file{beside}") from error
    if not stat.S_ISREG(mode):
        what = "a folder" if stat.S_ISDIR(mode) else "a pipe or a device"
        raise InputError(f"is {what}, not a file; store the content in a file of this name")
    if is_workbook(path):
        raise InputError(f"is an Excel workbook, which is not read; {save_sheet(path)}")


def require_folder(path: Path) -> None:
    """Raise unless the path is a folder; the message names it.

    Raises:
        InputError: nothing there, or a file.
    """
    if not path.is_dir():
        if path.exists():
            with naming(path):
                require_file(path)  # which says what to do with a workbook
        raise InputError(f"{path} is not a folder; give the folder that the files lie in")


def workbook_beside(path: Path) -> str:
    """End of a message that there is no file ``path``: the workbook beside it, and the fix; empty if none."""
    for book in path.parent.glob(f"{glob.escape(path.name.split('.')[0])}.*"):
        if book.suffix.lower() in WORKBOOKS:
            return f", but {book.name}; {save_sheet(path)}"
    return ""


def is_workbook(path: Path) -> bool:
    """Whether the content of a file is that of Excel or OpenOffice, whatever its name."""
    with path.open("rb") as file:
        head = file.read(4)
    if head != _ZIP or not zipfile.is_zipfile(path):
        return head == _OLD_EXCEL
    with zipfile.ZipFile(path) as file:
        return any(name.startswith(_SHEETS) for name in file.namelist())


def save_sheet(path: Path) -> str:
    """Advice to save a sheet as the file that a reader looks for, at ``path`` or, of a workbook, beside it.

    >>> save_sheet(Path("rna.xlsx"))
    'save the sheet as "CSV UTF-8" under the name rna.csv'
    """
    name = f"{path.stem}.csv" if path.suffix.lower() in WORKBOOKS else path.name
    form = '"Text (tab delimited)", in UTF-8,' if name.endswith((".txt", ".tsv")) else '"CSV UTF-8"'
    return f"save the sheet as {form} under the name {name}"


def refuse_swelling(size: int, packed: int) -> None:
    """Raise for content that is large and mostly repetition: nothing that was measured.

    Args:
        size: bytes of the content so far.
        packed: bytes on disk.

    Raises:
        InputError: over 1 GiB and 200 times the size on disk.
    """
    if size > max(_LARGE, _SWELLS * packed):
        raise InputError(
            f"swells from {packed:,} bytes to more than {size:,}, which no measured data do; check "
            "where it is from, or uncompress it yourself"
        )


def require_arrays(path: Path) -> None:
    """Raise unless the path is a file, and refuse a ``.npz`` whose entries swell."""
    require_file(path)
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as file:
            refuse_swelling(sum(e.file_size for e in file.infolist()), path.stat().st_size)


class _Bytes(io.RawIOBase):
    """Bytes of a file, uncompressed; NUL and endless lines are refused as they come."""

    def __init__(self, file: BinaryIO, packed: int) -> None:
        self._file, self._packed = file, packed
        self._size, self._line, self._lines = 0, 0, 1

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._file.read(len(buffer))
        if (at := data.find(b"\0")) >= 0:
            line = self._lines + data.count(b"\n", 0, at)
            raise InputError(
                f"line {line} holds a NUL character: the file is damaged or no UTF-8 text; {_SAVE}, or "
                "correct the line"
            )
        self._size += len(data)
        refuse_swelling(self._size, self._packed)
        end = max(data.rfind(b"\n"), data.rfind(b"\r"))
        self._line = len(data) - 1 - end + (self._line if end < 0 else 0)
        self._lines += data.count(b"\n")
        if self._line > _LINE:
            raise InputError(
                f"line {self._lines} is longer than {_LINE:,} bytes; is it a table, with a line per row?"
            )
        buffer[: len(data)] = data
        return len(data)


@contextmanager
def open_text(path: Path) -> Iterator[TextIO]:
    """Open a text file, compressed by gzip or not; its name does not matter.

    UTF-8, with or without a byte-order mark. Errors do not name the file: see `naming`.

    Raises:
        InputError: no file; empty; another encoding or format; NUL; a damaged or cut off gzip file,
            or one that swells (see `refuse_swelling`).
    """
    require_file(path)
    with path.open("rb") as file:
        zipped = file.read(2) == _GZIP
        file.seek(0)
        content: Any = gzip.GzipFile(fileobj=file) if zipped else file
        try:
            head = content.read(32)
            for magic, (what, fix) in _OTHERS.items():
                if head.startswith(magic):
                    raise InputError(f"is {what}, not UTF-8 text; {fix}")
            if not head.strip(b"\xef\xbb\xbf \t\r\n"):
                raise InputError("is empty; store the table in it, or remove it")
            content.seek(0)
            raw = io.BufferedReader(_Bytes(content, os.fstat(file.fileno()).st_size), 1 << 18)
            yield io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")
        except UnicodeDecodeError as error:
            raise InputError(_not_utf8(path, zipped)) from error
        except EOFError as error:
            raise InputError(
                "is cut off before its end; download, copy or compress it again"
            ) from error
        except (zlib.error, gzip.BadGzipFile) as error:
            raise InputError(f"is damaged ({error}); download or compress it again") from error


def _not_utf8(path: Path, zipped: bool) -> str:
    with (gzip.open if zipped else open)(path, "rb") as lines:
        for number, line in enumerate(lines, 1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                bad = line[error.start : error.start + 1]
                text = line[max(error.start - 12, 0) : error.start + 8].decode("cp1252", "replace")
                return (
                    f"line {number} is no UTF-8 text: byte 0x{bad.hex()} (in Latin-1 or Windows-1252: "
                    f"{text.strip()!r}); {_SAVE}"
                )
    return f"is no UTF-8 text; {_SAVE}"


def read_json(path: Path) -> dict[str, Any]:
    """Read one JSON object.

    Raises:
        InputError: no JSON, something else than an object, an entry that is there twice.
    """

    def distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        if twice := [name for name in dict(pairs) if names.count(name) > 1]:
            raise InputError(f"the entry {twice[0]!r} is there twice; keep one")
        return dict(pairs)

    with open_text(path) as text:
        try:
            found = json.loads(text.read(), object_pairs_hook=distinct)
        except RecursionError as error:
            raise InputError("is nested too deeply; an entry holds text or one object") from error
        except json.JSONDecodeError as error:
            raise InputError(f"is no JSON: {error}; correct it") from error
    if not isinstance(found, dict):
        raise InputError("must hold one JSON object")
    return found
