"""Images on disk: every layout gives the same arrays; what cannot be analysed is refused by name."""

import sys

import nibabel
import numpy as np
import pytest

from jaxsurv.data import read_images
from jaxsurv.types import InputError

AFFINE = np.diag([2.0, 2.0, 3.0, 1.0])
X = np.random.default_rng(0).normal(size=(3, 4, 3, 2)).astype(np.float32)
MASK = np.zeros((4, 3, 2), bool)
MASK[1:3, :2] = True
LACKS = np.full_like(X[0], np.nan)


def nifti(path, values, affine=AFFINE):
    path.parent.mkdir(exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(values, affine), path)


def npy(path, values):
    path.parent.mkdir(exist_ok=True)
    np.save(path, values)


def write_folder(folder, x):
    nifti(folder / "b.nii.gz", x[1])
    nifti(folder / "c.nii", x[2].astype(np.float64))
    nifti(folder / "a.nii", x[0])
    (folder / "a.json").write_text("{}")


def write_npz(file, x):
    np.savez(file.with_suffix(".npz"), **dict(zip("abc", x, strict=True)))


def write_rows(file, x):
    np.save(file.with_suffix(".npy"), x)
    (file.parent / "patients.csv").write_text("patient,site\na,1\nb,1\nc,2\n")


def write_folder_of_arrays(folder, x):
    for patient, values in zip("cab", x[[2, 0, 1]], strict=True):
        npy(folder / f"{patient}.npy", values)


@pytest.mark.parametrize("write", [write_folder, write_folder_of_arrays, write_npz, write_rows])
def test_every_layout_gives_the_same_arrays(write, tmp_path):
    write(tmp_path / "T1", X)
    images = read_images(tmp_path)
    assert images.patients == ("a", "b", "c")
    assert list(images.arrays) == list(images.masks) == ["T1"]
    assert images.arrays["T1"].dtype == np.float32
    np.testing.assert_array_equal(images.arrays["T1"], X)
    assert images.masks["T1"].dtype == bool
    assert images.masks["T1"].shape == (4, 3, 2)
    assert images.masks["T1"].all()


def test_nifti_values_are_scaled_as_the_header_says(tmp_path):
    image = nibabel.Nifti1Image(np.arange(24, dtype=np.int16).reshape(4, 3, 2), AFFINE)
    image.header.set_slope_inter(0.5, -3)
    (tmp_path / "CT").mkdir()
    nibabel.save(image, tmp_path / "CT" / "a.nii.gz")
    stored = np.asanyarray(nibabel.load(tmp_path / "CT" / "a.nii.gz").dataobj)
    values = read_images(tmp_path).arrays["CT"][0]
    np.testing.assert_array_equal(values, stored)
    np.testing.assert_array_equal(values.ravel(), 0.5 * np.arange(24) - 3)


def test_patients_are_those_with_any_image(tmp_path):
    """a has only T2, b has both, c none (its row is NaN), z only T1."""
    np.savez(tmp_path / "T1.npz", z=X[0], b=X[1])
    np.save(tmp_path / "T2.npy", np.stack([X[0], X[1], LACKS])[..., 0])
    (tmp_path / "patients.txt").write_text("a\nb \nc\n\n")
    images = read_images(tmp_path)
    assert images.patients == ("z", "b", "a")
    np.testing.assert_array_equal(images.arrays["T1"], [X[0], X[1], LACKS])
    np.testing.assert_array_equal(images.arrays["T2"], [LACKS[..., 0], X[1, ..., 0], X[0, ..., 0]])
    assert images.masks["T2"].shape == (4, 3)


@pytest.mark.parametrize("name", ["T1_mask.npy", "T1_mask.nii.gz", "mask.nii", "mask.npy"])
def test_outside_the_mask_is_zero(name, tmp_path):
    x = X.copy()
    x[:, ~MASK] = np.nan
    x[2] = np.nan
    write_folder(tmp_path / "T1", x)
    np.savez(tmp_path / "flat.npz", a=X[0, 0])  # of another shape: no common mask is for it
    if name.endswith("npy"):
        np.save(tmp_path / name, MASK)
    else:
        nifti(tmp_path / name, MASK.astype(np.uint8))
    images = read_images(tmp_path)
    assert images.patients == ("a", "b")
    np.testing.assert_array_equal(images.masks["T1"], MASK)
    np.testing.assert_array_equal(images.arrays["T1"], np.where(MASK, X[:2], 0))
    assert images.masks["flat"].all()
    np.testing.assert_array_equal(images.arrays["flat"], [X[0, 0], LACKS[0]])


def test_an_own_mask_comes_before_the_common_one(tmp_path):
    write_npz(tmp_path / "T1", X)
    write_npz(tmp_path / "T2", X)
    np.save(tmp_path / "mask.npy", MASK)
    np.save(tmp_path / "T2_mask.npy", 1.0 - MASK)
    images = read_images(tmp_path)
    np.testing.assert_array_equal(images.masks["T1"], MASK)
    np.testing.assert_array_equal(images.masks["T2"], ~MASK)
    np.testing.assert_array_equal(images.arrays["T2"], np.where(MASK, 0, X))


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_gaps_inside_the_mask_are_refused_with_their_place(value, tmp_path):
    x = X.astype(float)
    x[1, 2, 1, 0] = x[1, 2, 1, 1] = value
    x[1, 0, 0, 0] = value  # outside
    write_npz(tmp_path / "T1", x)
    np.save(tmp_path / "mask.npy", MASK)
    shown = "nan" if np.isnan(value) else "inf"
    message = (
        rf"image 'T1', patient 'b': the value {shown} in pixel \[2, 1, 0\] \(and 1 more\), inside"
    )
    with pytest.raises(InputError, match=message):
        read_images(tmp_path)


def test_one_grid_per_image(tmp_path):
    nifti(tmp_path / "T1" / "a.nii", X[0])
    nifti(tmp_path / "T1" / "b.nii", X[1], AFFINE + 1e-6)
    assert read_images(tmp_path).patients == ("a", "b")
    nifti(tmp_path / "T1" / "b.nii", X[1], np.diag([2.0, 2.0, 2.0, 1.0]))
    message = (
        r"image 'T1', patient 'b': affine \[\[2.0.*\[0.0, 0.0, 2.0, 0.0\].*, but .*\[0.0, 0.0, 3.0, 0.0\]"
        ".* of patient 'a'; they must be registered to one grid"
    )
    with pytest.raises(InputError, match=message):
        read_images(tmp_path)
    nifti(tmp_path / "T1" / "b.nii", X[1, :3])
    message = r"'T1', patient 'b': shape \[3, 3, 2\], but \[4, 3, 2\] of patient 'a'; .* registered"
    with pytest.raises(InputError, match=message):
        read_images(tmp_path)


@pytest.mark.parametrize("shift", [0.01, 2.0])
@pytest.mark.parametrize("at", [(0, 0), (0, 1), (1, 3), (2, 3)])
def test_grids_that_differ_by_little_are_two(at, shift, tmp_path):
    """A turn, a scale or a step of a hundredth: images of different sessions, not registered."""
    other = AFFINE.copy()
    other[at] += shift
    nifti(tmp_path / "T1" / "a.nii", X[0])
    nifti(tmp_path / "T1" / "b.nii", X[1], other)
    with pytest.raises(InputError, match="they must be registered to one grid"):
        read_images(tmp_path)


@pytest.mark.parametrize("name", ["mask", "T1_mask"])
def test_a_mask_on_another_grid_is_refused(name, tmp_path):
    nifti(tmp_path / "T1" / "a.nii", X[0])
    nifti(tmp_path / f"{name}.nii", MASK.astype(np.uint8), np.diag([-2.0, 2, 3, 1]))
    with pytest.raises(InputError, match=rf"mask '{name}': affine .* of image 'T1', patient 'a'"):
        read_images(tmp_path)


def test_a_mask_of_another_shape_is_refused(tmp_path):
    write_npz(tmp_path / "T1", X)
    np.save(tmp_path / "mask.npy", MASK[1])
    with pytest.raises(
        InputError, match=r"mask 'mask' \[3, 2\] is of no image: .* 'T1' \[4, 3, 2\]; rename"
    ):
        read_images(tmp_path)
    (tmp_path / "mask.npy").rename(tmp_path / "T1_mask.npy")
    with pytest.raises(
        InputError, match=r"mask 'T1_mask': shape \[3, 2\], but \[4, 3, 2\] of image"
    ):
        read_images(tmp_path)
    (tmp_path / "T1_mask.npy").rename(tmp_path / "T3_mask.npy")
    with pytest.raises(InputError, match=r"mask 'T3_mask' .* is of no image"):
        read_images(tmp_path)


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (MASK * 255, r"mask\.npy: a mask is 0 or 1, got 255; set"),
        (np.where(MASK, np.nan, 1), r"mask\.npy: a mask is 0 or 1, got nan; set"),
        (MASK & False, "0 everywhere"),
    ],
)
def test_what_is_no_mask_is_refused(mask, message, tmp_path):
    write_npz(tmp_path / "T1", X)
    np.save(tmp_path / "mask.npy", mask)
    with pytest.raises(InputError, match=message):
        read_images(tmp_path)


@pytest.mark.parametrize(
    ("listed", "message"),
    [
        ({}, r"neither patients\.csv nor patients\.txt; give one"),
        ({"csv": "patient\na\nb\nc\n", "txt": "a\nb\nc\n"}, r"both patients\.csv and"),
        (
            {"csv": "patient\na\nb\n"},
            r"image 'T1': T1\.npy has the shape \[3, 4, 3, 2\], but 2 patients",
        ),
        ({"csv": "name\na\nb\nc\n"}, r"patients\.csv: has no column 'patient', but name"),
        ({"csv": "patient,x\na,1\n,2\nc,3\n"}, r"patients\.csv: row 2 has no patient name"),
        ({"txt": "a\n\nc\n"}, r"patients\.txt: row 2 has no patient name"),
        ({"txt": "a\nb\na\n"}, r"patients\.txt: duplicate patients: a; give"),
    ],
)
def test_lists_of_patients_that_do_not_fit_are_refused(listed, message, tmp_path):
    np.save(tmp_path / "T1.npy", X)
    for suffix, text in listed.items():
        (tmp_path / f"patients.{suffix}").write_text(text)
    with pytest.raises(InputError, match=message):
        read_images(tmp_path)


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda f: None, r"has no <image>\.npz, <image>\.npy or folder"),
        (
            lambda f: nifti(f / "T1.nii.gz", X[0]),
            r"T1\.nii\.gz: NIfTI files are read one per patient",
        ),
        (lambda f: (f / "T1").mkdir(), "image 'T1': .* holds no patient"),
        (lambda f: np.savez(f / "T1.npz"), "image 'T1': .* holds no patient"),
        (
            lambda f: np.savez(f / "T1.npz", a=LACKS),
            "image 'T1': no patient has a value; remove .*T1",
        ),
        (
            lambda f: np.savez(f / "T1.npz", a=3.0),
            r"'T1', patient 'a': .* shape \[\] has no pixels",
        ),
        (
            lambda f: np.savez(f / "T1.npz", a=X[0] + 1j),
            r"T1\.npz: patient 'a' has the type complex64",
        ),
        (lambda f: np.savez(f / "T1.npz", a=["x"]), "has the type <U1; store one real number"),
        (lambda f: np.savez(f / "T1.npz", a=np.array([{}])), "allow_pickle=False"),
        (
            lambda f: (f / "T1.npz").write_bytes(b"PK\x03\x04junk"),
            r"T1\.npz: cannot be read \(File is not a zip file\); store",
        ),
        (lambda f: (f / "T1.npz").write_bytes(b"text"), r"T1\.npz: "),
        (lambda f: (f / "T1.npy").write_bytes(b""), r"T1\.npy: "),
        (
            lambda f: (npy(f / "a.npy", X), (f / "a.npy").rename(f / "T1.npz")),
            r"T1\.npz: is not what its name",
        ),
    ],
)
def test_refusals(write, message, tmp_path):
    write(tmp_path)
    with pytest.raises(InputError, match=message):
        read_images(tmp_path)


@pytest.mark.parametrize("content", [b"text", b"\x1f\x8btext"])
def test_a_broken_nifti_is_refused_by_name(content, tmp_path):
    (tmp_path / "T1").mkdir()
    (tmp_path / "T1" / "a.nii.gz").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.nii\.gz: "):
        read_images(tmp_path)


def test_a_nifti_cut_short_is_refused_by_name(tmp_path):
    nifti(tmp_path / "T1" / "a.nii", X[0])
    whole = (tmp_path / "T1" / "a.nii").read_bytes()
    (tmp_path / "T1" / "a.nii").write_bytes(whole[:-10])
    with pytest.raises(InputError, match=r"a\.nii: "):
        read_images(tmp_path)


def test_two_of_one_name_are_refused(tmp_path):
    nifti(tmp_path / "T1" / "a.nii", X[0])
    nifti(tmp_path / "T1" / "a.nii.gz", X[0])
    with pytest.raises(InputError, match=r"T1 has both a\.nii and a\.nii\.gz for 'a'; keep one"):
        read_images(tmp_path)
    (tmp_path / "T1" / "a.nii.gz").unlink()
    write_npz(tmp_path / "T1", X)
    with pytest.raises(InputError, match=r"has both T1 and T1\.npz for 'T1'; keep one"):
        read_images(tmp_path)
    (tmp_path / "T1.npz").unlink()
    npy(tmp_path / "mask.npy", MASK)
    nifti(tmp_path / "mask.nii", MASK.astype(np.uint8))
    with pytest.raises(InputError, match=r"both mask\.nii and mask\.npy for 'mask'"):
        read_images(tmp_path)


def test_an_array_without_rows_is_refused(tmp_path):
    np.save(tmp_path / "T1.npy", 3.0)
    (tmp_path / "patients.txt").write_text("a")
    with pytest.raises(InputError, match=r"image 'T1': T1\.npy has the shape \[\], but 1 patients"):
        read_images(tmp_path)


def test_files_with_and_without_an_affine_are_not_mixed(tmp_path):
    nifti(tmp_path / "T1" / "b.nii", X[0])
    npy(tmp_path / "T1" / "a.npy", X[0])
    with pytest.raises(InputError, match=r"image 'T1': .* arrays \(a\.npy\), which have no affine"):
        read_images(tmp_path)


def test_other_files_of_a_patient_folder_are_refused(tmp_path):
    nifti(tmp_path / "T1" / "a.nii", X[0])
    (tmp_path / "T1" / ".DS_Store").write_text("")
    (tmp_path / "readme.md").write_text("")
    assert read_images(tmp_path).patients == ("a",)
    (tmp_path / "T1" / "b.mgz").write_text("")
    with pytest.raises(InputError, match=r"image 'T1': b\.mgz in .* is no \.nii, \.nii\.gz or"):
        read_images(tmp_path)


def test_the_extra_is_named_where_it_is_absent(tmp_path, monkeypatch):
    nifti(tmp_path / "T1" / "a.nii", X[0])
    monkeypatch.setitem(sys.modules, "nibabel", None)
    with pytest.raises(InputError, match=r"extra 'images'; pip install 'jaxsurv\[images\]'"):
        read_images(tmp_path)


def test_no_folder(tmp_path):
    with pytest.raises(InputError, match="nowhere is not a folder"):
        read_images(tmp_path / "nowhere")
