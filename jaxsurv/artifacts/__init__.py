"""Files on disk: results folders, finished chunks of a computation, trained models."""

from jaxsurv.artifacts.chunks import Chunks
from jaxsurv.artifacts.model_file import StoredModel, read_model, write_model
from jaxsurv.artifacts.numerics import NUMERICS
from jaxsurv.artifacts.results import ResultsFolder, versions

__all__ = [
    "NUMERICS",
    "Chunks",
    "ResultsFolder",
    "StoredModel",
    "read_model",
    "versions",
    "write_model",
]
