"""Networks as estimators: any registered model, and the published ones by name."""

from collections.abc import Mapping
from typing import Any

from jaxsurv.estimators.ensemble import NetworkEstimator
from jaxsurv.estimators.inputs import Modalities
from jaxsurv.models import Model
from jaxsurv.recipe import Recipe


class Network(NetworkEstimator):
    """An ensemble of any registered model: ``Network("MyModel")``.

    Args:
        model: name under which a file called :func:`jaxsurv.models.register`, or the entry itself.
        config, hparams: static choices and traced scalars of the model; None = those of its entry.
        epochs, burn_in, patience, batch_size, n_seeds: training, see :class:`NetworkEstimator`.
        modalities, kinds, recipe, components, random_state: reading X, see :class:`NetworkEstimator`.
    """

    def __init__(
        self,
        model: str | Model,
        config: Any = None,
        hparams: Any = None,
        *,
        epochs: int = 300,
        burn_in: int = 20,
        patience: int = 40,
        batch_size: int | None = None,
        n_seeds: int = 5,
        modalities: Modalities | None = None,
        kinds: Mapping[str, str] | None = None,
        recipe: Recipe | None = None,
        components: int | None = None,
        random_state: int = 0,
    ) -> None:
        self._set(locals())


class MORiskVAE(NetworkEstimator):
    """MO-RiskVAE: a multimodal VAE with a Cox head and a hybrid latent; see `jaxsurv.models.MO_RISKVAE`.

    Args:
        config: :class:`jaxsurv.models.SurvivalVAEConfig`: widths, latent size, regulariser, categories,
            outcome head.
        hparams: :class:`jaxsurv.models.HParams`: beta and the other weights, learning rate, dropout; each
            also by its name, as ``beta=0.1``.
        epochs, burn_in, patience, batch_size, n_seeds: most epochs, epochs before patience counts, epochs
            without a better early-stopping loss, patients per step (None = all), networks in the ensemble.
        modalities, kinds, recipe, components, random_state: see :class:`NetworkEstimator`.
    """

    model = "MORiskVAE"


class MyeVAE(NetworkEstimator):
    """MyeVAE as it was released; see `jaxsurv.models.mye_vae`.

    It takes imputed values for observed ones: without ``Recipe(impute=...)`` the training mean.

    Args:
        config: :class:`jaxsurv.models.SurvivalVAEConfig`.
        hparams: :class:`jaxsurv.models.HParams`; each also by its name.
        epochs, burn_in, patience, batch_size, n_seeds: most epochs, epochs before patience counts, epochs
            without a better early-stopping loss, patients per step (None = all), networks in the ensemble.
        modalities, kinds, recipe, components, random_state: see :class:`NetworkEstimator`.
    """

    model = "MyeVAE"


class CoxNnet(NetworkEstimator):
    """Cox-nnet: one hidden layer; see :func:`jaxsurv.models.cox_nnet`.

    Args:
        config: :class:`jaxsurv.models.CoxNnetConfig`: the outcome head.
        hparams: :class:`jaxsurv.models.CoxNnetHParams`: penalty, learning rate, momentum; each also
            by its name, as ``l2=0.01``. Without either, the penalty is chosen by early-stopping losses.
        epochs, burn_in, patience, batch_size, n_seeds: most epochs, epochs before patience counts, epochs
            without a better early-stopping loss, patients per step (None = all), networks in the ensemble.
        modalities, kinds, recipe, components, random_state: see :class:`NetworkEstimator`.
    """

    model = "CoxNnet"


class CoxMT(NetworkEstimator):
    """Cox-MT, which also learns from patients without an outcome; see :func:`jaxsurv.models.cox_mt`.

    Give these patients no time: NaN, and False or NaN as their event.

    Args:
        config: :class:`jaxsurv.models.CoxMTConfig`: layers, consistency, sources, outcome head.
        hparams: :class:`jaxsurv.models.CoxMTHParams`: weight, alpha, noise, learning rate, decay; each
            also by its name.
        epochs, burn_in, patience, batch_size, n_seeds: most epochs, epochs before patience counts, epochs
            without a better early-stopping loss, patients per step (None = all), networks in the ensemble.
        modalities, kinds, recipe, components, random_state: see :class:`NetworkEstimator`.
    """

    model = "CoxMT"


class HCL(NetworkEstimator):
    """Deep HCL: what each subset of the modalities shares; see :func:`jaxsurv.models.hcl`.

    Args:
        config: :class:`jaxsurv.models.HCLConfig`: widths, subsets, contrast, outcome head.
        hparams: :class:`jaxsurv.models.HCLHParams`: weights of contrast and reconstruction; each also by
            its name.
        epochs, burn_in, patience, batch_size, n_seeds: most epochs, epochs before patience counts, epochs
            without a better early-stopping loss, patients per step (None = all), networks in the ensemble.
        modalities, kinds, recipe, components, random_state: see :class:`NetworkEstimator`.
    """

    model = "HCL"
