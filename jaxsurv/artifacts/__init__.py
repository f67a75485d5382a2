"""What is kept on disk."""

from jaxsurv.artifacts.results import ResultsFolder, versions

__all__ = ["ResultsFolder", "versions"]
