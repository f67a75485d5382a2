"""Images of patients, read from a folder: on one grid per image, inside a mask."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jaxsurv.data.files import naming, require_folder
from jaxsurv.data.image_files import Pixels, image_paths, read_image, read_pixels
from jaxsurv.data.tables import few
from jaxsurv.types import InputError

_SAME_GRID = 1e-4  # tolerance of affines in mm: programs that write files round differently


@dataclass(frozen=True, eq=False)
class Images:
    """Images of patients, checked when they are read. A patient may lack some of the images.

    Attributes:
        patients: names of the patients with at least one image; the rows of all arrays.
        arrays: image to ``[n, *shape]`` float32, in the files' units: NaN in all pixels of a patient who
            lacks the image, otherwise finite, and 0 outside the mask.
        masks: image to ``[*shape]`` booleans, True inside the region of interest.
    """

    patients: tuple[str, ...]
    arrays: dict[str, np.ndarray]
    masks: dict[str, np.ndarray]


def read_images(folder: str | Path) -> Images:
    """Read images from a folder.

    The folder holds, for each image, one of:

    - ``<image>/`` with a file per patient: ``<patient>.nii`` or ``.nii.gz``, or ``<patient>.npy``;
      ``.json`` files beside them are ignored;
    - ``<image>.npz`` with an entry per patient;
    - ``<image>.npy``, ``[n, *shape]``, whose rows are named by ``patients.csv`` (column ``patient``) or by
      the lines of ``patients.txt``.

    Images of different names may differ in shape; those of one name may not. An image whose pixels are
    all NaN counts as absent. A mask, ``<image>_mask.npy``, ``.nii`` or ``.nii.gz``, is 1 inside the region
    of interest and 0 outside. ``mask.*`` is the mask of all images of its shape without a mask of their
    own. Patients come in the order of first appearance: images, and files of a sub-folder, are sorted by
    name; entries and rows keep their stored order.

    Args:
        folder: path of the folder; other files in it are ignored.

    Raises:
        InputError: values inside a mask that are not finite; images that are not on one grid or are there
            twice; a mask that fits no image or is not 0 and 1; NIfTI files without the extra ``images``
            installed. The message names the image, the patient, the value and the fix.
    """
    folder = Path(folder)
    require_folder(folder)
    image_files, mask_files = image_paths(folder)
    if not image_files:
        raise InputError(f"{folder} has no <image>.npz, <image>.npy or folder <image>/")
    found = {name: read_image(name, path) for name, path in image_files.items()}
    for name, pixels in found.items():
        (first, one), *others = pixels.items()
        for patient, other in others:
            label = f"image {name!r}, patient {patient!r}"
            _refuse_another_grid(label, other, f"patient {first!r}", one)
    masks = _masks({name: _read_mask(path) for name, path in mask_files.items()}, found)

    present = {
        name: {p: x.values for p, x in pixels.items() if not np.isnan(x.values).all()}
        for name, pixels in found.items()
    }
    named = dict.fromkeys(p for pixels in found.values() for p in pixels)
    patients = tuple(p for p in named if any(p in pixels for pixels in present.values()))
    arrays = {}
    for name, pixels in present.items():
        if not pixels:
            raise InputError(f"image {name!r}: no patient has a value; remove {image_files[name]}")
        arrays[name] = np.full((len(patients), *masks[name].shape), np.nan, np.float32)
        for i, patient in enumerate(patients):
            if patient in pixels:
                _refuse_gaps(name, patient, pixels[patient], masks[name])
                arrays[name][i] = np.where(masks[name], pixels[patient], 0)
    return Images(patients, arrays, masks)


def _refuse_another_grid(label: str, other: Pixels, first: str, one: Pixels) -> None:
    """Refuse images of different shape or affine; without an affine only shapes are compared."""
    fix = "they must be registered to one grid"
    if other.values.shape != one.values.shape:
        raise InputError(
            f"{label}: shape {list(other.values.shape)}, but {list(one.values.shape)} of {first}; {fix}"
        )
    if one.affine is None or other.affine is None:
        return
    if not np.allclose(other.affine, one.affine, rtol=1e-5, atol=_SAME_GRID):
        raise InputError(
            f"{label}: affine {other.affine.tolist()}, but {one.affine.tolist()} of {first}; {fix}"
        )


def _masks(given: dict[str, Pixels], found: dict[str, dict[str, Pixels]]) -> dict[str, np.ndarray]:
    """Map each image to its own mask, the common mask, or all pixels."""
    masks, used = {}, set()
    for name, pixels in found.items():
        patient, one = next(iter(pixels.items()))
        common = "mask" in given and given["mask"].values.shape == one.values.shape
        mask = f"{name}_mask" if f"{name}_mask" in given else "mask" if common else ""
        masks[name] = np.ones(one.values.shape, bool)
        if mask:
            label = f"image {name!r}, patient {patient!r}"
            _refuse_another_grid(f"mask {mask!r}", given[mask], label, one)
            masks[name] = given[mask].values.astype(bool)
            used.add(mask)
    if unused := sorted(set(given) - used):
        shapes = [f"{name!r} {list(mask.shape)}" for name, mask in masks.items()]
        raise InputError(
            f"mask {unused[0]!r} {list(given[unused[0]].values.shape)} is of no image: there are "
            f"{few(shapes, 9)}; rename or remove it"
        )
    return masks


def _read_mask(path: Path) -> Pixels:
    mask = read_pixels(path)
    with naming(path):
        if (bad := mask.values[~np.isin(mask.values, (0, 1))]).size:
            raise InputError(f"a mask is 0 or 1, got {bad[0]:g}; set what is inside to 1")
        if not mask.values.any():
            raise InputError("the mask is 0 everywhere; set what is inside to 1")
    return mask


def _refuse_gaps(name: str, patient: str, values: np.ndarray, mask: np.ndarray) -> None:
    bad = np.argwhere(mask & ~np.isfinite(values))
    if len(bad):
        more = f" (and {len(bad) - 1} more)" if len(bad) > 1 else ""
        raise InputError(
            f"image {name!r}, patient {patient!r}: the value {values[tuple(bad[0])]} in pixel "
            f"{bad[0].tolist()}{more}, inside the mask; fill it in, leave it out of the mask "
            f"({name}_mask.npy), or leave out the patient's image"
        )
