"""Latent variables of a fitted network, in the container that scikit-learn's ``set_output`` chooses."""

from typing import Any, Self

import jax
import numpy as np
import pandas as pd
from sklearn import get_config
from sklearn.utils.metaestimators import available_if

from jaxsurv.estimators.fitted import FittedModel
from jaxsurv.estimators.saved_survival import nobody
from jaxsurv.recipe.members import network_batch
from jaxsurv.types import check_choice

_CONTAINERS = ("default", "pandas", "polars")
_with_latents = available_if(lambda self: self._network.latent is not None)


class Latents:
    """Estimators whose network may have latent variables; the methods are there if it has."""

    @_with_latents
    def transform(self, X: Any) -> Any:
        """``[n, z]``: the latent variables of the first seed's network.

        Of the variational models their means, then class probabilities; of HCL the representations,
        subset by subset. Axes of another seed's are others, so that a mean over seeds has no meaning.
        An array, or the table that `set_output` asks for.

        Args:
            X: features, see `predict`.
        """
        estimator: Any = self
        patients = estimator._new(X)
        z = estimator.fitted().latent(patients)
        default = {"transform": get_config()["transform_output"]}
        kind = getattr(self, "_sklearn_output_config", default)["transform"]
        if kind == "default":
            return z
        names = self.get_feature_names_out().tolist()
        if kind == "polars":
            import polars  # type: ignore[import-not-found]

            return polars.DataFrame(z, schema=names)
        index = patients.names.rename("patient") if patients.named else None
        return pd.DataFrame(z, X.index if isinstance(X, pd.DataFrame) else index, names)

    @_with_latents
    def set_output(self, *, transform: str | None = None) -> Self:
        """Choose what `transform` gives, as for any transformer of scikit-learn.

        Args:
            transform: ``"default"``, an array; ``"pandas"``, a DataFrame with the rows named as X names them;
                ``"polars"``; None = as it is.
        """
        if transform is not None:
            check_choice("transform", transform, _CONTAINERS)
            self._sklearn_output_config = {
                "transform": transform
            }  # which scikit-learn's clone keeps
        return self

    @_with_latents
    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """``[z]`` names of the latent variables: ``mu_0``, ..., ``pi_0``, ...; of HCL ``rna+cnv_0``, ...

        Args:
            input_features: not used.
        """
        estimator: Any = self
        return np.array(latent_names(estimator.fitted()), object)


def latent_names(fitted: FittedModel) -> list[str]:
    """Names of the latent variables in the order of `FittedModel.latent`."""
    rows, found = nobody(fitted.preprocessing), []
    fitted.require_latents()
    collect = fitted.network.latent(fitted.config)  # type: ignore[union-attr]

    def note(terms: Any) -> None:  # of a dictionary that comes out, JAX sorts the keys
        for key, z in collect(terms.network, network_batch(terms, rows)).items():
            name = "+".join(key) if isinstance(key, tuple) else str(key)
            found.extend(f"{name}_{j}" for j in range(z.shape[-1]))

    jax.eval_shape(note, jax.tree.map(lambda p: p[0], fitted.params))
    return found
