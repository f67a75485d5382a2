"""Files with the images of patients: their names, and their pixels patient by patient."""

import math
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from jaxsurv.data.delimited import read_table
from jaxsurv.data.files import naming, open_text, refuse_swelling, require_arrays, require_file
from jaxsurv.data.tables import few, refuse_repeated
from jaxsurv.types import InputError

_NIFTI = (".nii", ".nii.gz")


class Pixels(NamedTuple):
    """Values ``[*shape]`` in float32; a NIfTI file also gives the affine from voxels to mm."""

    values: np.ndarray
    affine: np.ndarray | None = None


def image_paths(folder: Path) -> tuple[dict[str, Path], dict[str, Path]]:
    """Files and sub-folders of images by name, and files of masks by name (``mask``, ``<image>_mask``).

    Raises:
        InputError: two files with one name, or a NIfTI file that is neither in a sub-folder nor a mask.
    """
    images, masks = [], []
    for path in _visible(folder):
        named_mask = _stem(path) == "mask" or _stem(path).endswith("_mask")
        if path.is_dir() or _suffix(path) == ".npz" or (path.suffix == ".npy" and not named_mask):
            images.append(path)
        elif _suffix(path) in (".npy", *_NIFTI):
            masks.append(path)
            if not named_mask:
                raise InputError(
                    f"{path}: NIfTI files are read one per patient, from <image>/<patient>"
                    f"{_suffix(path)}; move it there, or name it <image>_mask{_suffix(path)} if it is "
                    "a mask"
                )
    return _by_name(images), _by_name(masks)


def read_image(name: str, path: Path) -> dict[str, Pixels]:
    """Read one image of all patients: patient to pixels, from any of the formats.

    Raises:
        InputError: data that cannot be read; the message names the image or file, and the patient.
    """
    if path.is_dir():
        pixels = {patient: read_pixels(p) for patient, p in _patient_files(name, path).items()}
    elif path.suffix == ".npz":
        pixels = {p: Pixels(values) for p, values in _entries(path).items()}
    else:
        rows = read_pixels(path).values
        patients = _listed_patients(path.parent)
        if rows.shape[:1] != (len(patients),):
            raise InputError(
                f"image {name!r}: {path.name} has the shape {list(rows.shape)}, but {len(patients)} "
                "patients are listed; give one row per patient"
            )
        pixels = dict(zip(patients, map(Pixels, rows), strict=True))
    if not pixels:
        raise InputError(f"image {name!r}: {path} holds no patient; fill or remove it")
    for patient, (values, _) in pixels.items():
        if not np.ndim(values) or not values.size:
            raise InputError(
                f"image {name!r}, patient {patient!r}: an array of shape {list(np.shape(values))} has "
                "no pixels; store one array per patient, or leave the patient out"
            )
    return pixels


def read_pixels(path: Path) -> Pixels:
    """Read one ``.npy``, ``.nii`` or ``.nii.gz`` file.

    Raises:
        InputError: a file that cannot be read, or a NIfTI file without the extra ``images`` installed.
    """
    if _suffix(path) not in _NIFTI:
        return Pixels(_entries(path)[""])
    try:
        import nibabel
    except ImportError as error:
        raise InputError(
            f"{path}: reading NIfTI files needs the extra 'images'; pip install 'jaxsurv[images]'"
        ) from error
    with naming(path):
        require_file(path)
        try:
            image = nibabel.load(path)
        except nibabel.filebasedimages.ImageFileError as error:
            raise InputError(f"{error}; write it as NIfTI again") from error
        refuse_swelling(
            math.prod(image.shape) * image.get_data_dtype().itemsize, path.stat().st_size
        )
        return Pixels(_numbers(np.asanyarray(image.dataobj), "the image"), image.affine)


def _suffix(path: Path) -> str:
    return ".nii.gz" if path.name.endswith(".nii.gz") else path.suffix


def _stem(path: Path) -> str:
    return path.name if path.is_dir() else path.name.removesuffix(_suffix(path))


def _visible(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if not p.name.startswith("."))


def _by_name(paths: Iterable[Path]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in paths:
        if (other := found.setdefault(_stem(path), path)) != path:
            raise InputError(
                f"{path.parent} has both {other.name} and {path.name} for {_stem(path)!r}; keep one"
            )
    return dict(sorted(found.items()))


def _patient_files(name: str, folder: Path) -> dict[str, Path]:
    files = [p for p in _visible(folder) if _suffix(p) != ".json"]
    if other := [p.name for p in files if _suffix(p) not in (".npy", *_NIFTI)]:
        raise InputError(
            f"image {name!r}: {few(other)} in {folder} is no .nii, .nii.gz or .npy file; convert or "
            "move it"
        )
    arrays = [p.name for p in files if p.suffix == ".npy"]
    if 0 < len(arrays) < len(files):  # their grids could not be compared
        raise InputError(
            f"image {name!r}: {folder} has both NIfTI files and arrays ({few(arrays)}), which have no "
            "affine; store all patients in one format"
        )
    return _by_name(files)


def _listed_patients(folder: Path) -> list[str]:
    """Patients of the rows of the ``.npy`` files."""
    files = [p for p in (folder / "patients.csv", folder / "patients.txt") if p.exists()]
    if len(files) != 1:
        raise InputError(
            f"{folder} has {'both' if files else 'neither'} patients.csv {'and' if files else 'nor'} "
            "patients.txt; give one, in the order of the rows of the .npy files"
        )
    with naming(files[0]):
        with open_text(files[0]) as text:
            if files[0].suffix == ".txt":
                patients = [line.strip() for line in text.read().rstrip().splitlines()]
            else:
                table = read_table(enumerate(text, 1), ",", dtype=str, keep_default_na=False)
                if "patient" not in table:
                    raise InputError(
                        f"has no column 'patient', but {few(table.columns)}; rename it"
                    )
                patients = table["patient"].tolist()
        if "" in patients:
            raise InputError(f"row {patients.index('') + 1} has no patient name; fill it in")
        refuse_repeated(
            pd.Index(patients), "duplicate patients:", "give each row a name of its own"
        )
    return patients


def _entries(path: Path) -> dict[str, np.ndarray]:
    """Arrays of an ``.npz`` file by patient; the array of an ``.npy`` file is named ''."""
    with naming(path):
        require_arrays(path)
    with naming(path), path.open("rb") as handle:
        loaded = np.load(handle, allow_pickle=False)
        if isinstance(loaded, np.ndarray) != (path.suffix == ".npy"):
            raise InputError("is not what its name says; use numpy.save for .npy, savez for .npz")
        if isinstance(loaded, np.ndarray):
            return {"": _numbers(loaded, "the array")}
        return {p: _numbers(values, f"patient {p!r}") for p, values in loaded.items()}


def _numbers(values: np.ndarray, what: str) -> np.ndarray:
    if values.dtype.kind not in "biuf":
        raise InputError(f"{what} has the type {values.dtype}; store one real number per pixel")
    with np.errstate(over="ignore"):  # becomes infinite, which is refused with its place
        return values.astype(np.float32)
