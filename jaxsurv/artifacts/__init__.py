"""What is kept on disk."""

from jaxsurv.artifacts.chunks import Chunks
from jaxsurv.artifacts.results import ResultsFolder, versions

__all__ = ["Chunks", "ResultsFolder", "versions"]
