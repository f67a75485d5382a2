"""MuData files (``.h5mu``), as muon and Bioconductor's MuData write them."""

import warnings
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from jaxsurv.data.cohort import Cohort
from jaxsurv.data.files import naming, require_file
from jaxsurv.data.formats.matrix import as_modality, measured_kind
from jaxsurv.data.formats.outcomes import (
    Endpoints,
    clinical_table,
    named_endpoint,
    outcome_table,
    paired_endpoints,
    time_unit,
)
from jaxsurv.data.identifiers import patients_of
from jaxsurv.data.readers import found_cohort
from jaxsurv.data.samples import of_one_sample
from jaxsurv.data.tables import refuse_repeated
from jaxsurv.types import InputError


def read_h5mu(
    path: str | Path,
    *,
    endpoints: Endpoints | None = None,
    clinical: Sequence[str] | None = None,
    semi_supervised: bool = False,
) -> Cohort:
    """Read a MuData file: ``X`` of every modality, and outcomes from the global ``obs``.

    A modality on the scale of counts has the kind ``counts``; other kinds are inferred. Gene names and
    samples are treated as in the other formats, see ``one_row_per_gene`` and ``patients_of``. The unit of
    time is known if the names of the columns say it, such as ``os_months``.

    Args:
        path: path of the file. Needs the extra ``omics``.
        endpoints: endpoint to its columns of time and event in ``obs``; None = all pairs
            ``<endpoint>_time``, ``<endpoint>_event``.
        clinical: columns of ``obs`` to take instead of those known at diagnosis; a modality named
            ``clinical`` comes first.
        semi_supervised: keep patients without an outcome, as rows without a label.

    Raises:
        InputError: the extra is not installed, or the file is not valid.
    """
    try:
        import mudata
    except ImportError as error:
        raise InputError(
            f"{path}: reading MuData files needs the extra 'omics'; pip install 'jaxsurv[omics]'"
        ) from error
    file = Path(path)
    with naming(file):
        require_file(file)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # a gene may be in several modalities
            try:
                data = _read(mudata, file)
            except (TypeError, KeyError, AttributeError) as error:  # other HDF5 files
                raise InputError(f"holds no MuData ({error}); write it with mudata") from error
        for names in (data.obs_names, *(table.obs_names for table in data.mod.values())):
            refuse_repeated(names, "duplicate samples", "name each sample once")
        chosen = patients_of(data.obs_names, file.name)
        obs = data.obs.loc[chosen].set_axis(chosen.index)
        pairs = endpoints or paired_endpoints(obs.columns, "_time", "_event")
        if not pairs:
            raise InputError(
                f"obs has no pair of columns such as os_time and os_event. {named_endpoint(obs)}"
            )
        survival = outcome_table(obs, pairs, "obs")
        unit = time_unit([pair[0] for pair in pairs.values()])
        used = [c for pair in pairs.values() for c in pair]
        modalities = clinical_table(obs.drop(columns=used), clinical, "obs")
        taken = of_one_sample({m: table.obs_names for m, table in data.mod.items()})
        tables = {m: table.to_df().loc[taken[m]] for m, table in data.mod.items()}
        modalities |= {m: as_modality(table.T, m) for m, table in tables.items()}
        kinds = {m: measured_kind(table) for m, table in modalities.items() if m != "clinical"}
    about = {"name": file.stem, "time_unit": unit, "source": "MuData file"}
    return found_cohort(file, modalities, survival, kinds, semi_supervised, **about)


def _read(mudata: Any, file: Path) -> Any:
    with without_pulling():
        try:
            return mudata.read_h5mu(file)
        except ValueError as error:
            # rows with a name, such as "patient", are joined only while pulling
            if "overlapping index names" not in str(error):
                raise
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return mudata.read_h5mu(file)


def without_pulling() -> AbstractContextManager:
    """Context in which mudata leaves the columns of ``obs`` where they are."""
    import mudata

    before = hasattr(mudata, "set_options")  # 0.4, which never pulls unasked
    return mudata.set_options(pull_on_update=False) if before else nullcontext()
