"""Figures from results; each function returns a matplotlib figure and touches no file."""

from jaxsurv.plots.cohort import modality_patterns
from jaxsurv.plots.convergence import error_curves
from jaxsurv.plots.external import external_scores
from jaxsurv.plots.forest import Forest, score_forest
from jaxsurv.plots.images import image_maps
from jaxsurv.plots.importance import explanation_panels, importance_bars
from jaxsurv.plots.latent import LatentMap, latent_maps
from jaxsurv.plots.loadings import loading_maps
from jaxsurv.plots.profiles import Profile, score_profiles
from jaxsurv.plots.scale import score_against_scale
from jaxsurv.plots.survival import RiskGroups, risk_groups, survival_curve
from jaxsurv.plots.sweep import score_against_setting, training_curves

__all__ = [
    "Forest",
    "LatentMap",
    "Profile",
    "RiskGroups",
    "error_curves",
    "explanation_panels",
    "external_scores",
    "image_maps",
    "importance_bars",
    "latent_maps",
    "loading_maps",
    "modality_patterns",
    "risk_groups",
    "score_against_scale",
    "score_against_setting",
    "score_forest",
    "score_profiles",
    "survival_curve",
    "training_curves",
]
