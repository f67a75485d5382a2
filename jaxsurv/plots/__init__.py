"""Figures from results; each function returns a matplotlib figure and touches no file."""

from jaxsurv.plots.cohort import modality_patterns
from jaxsurv.plots.forest import Forest, score_forest
from jaxsurv.plots.importance import explanation_panels, importance_bars
from jaxsurv.plots.profiles import Profile, score_profiles
from jaxsurv.plots.survival import RiskGroups, risk_groups, survival_curve
from jaxsurv.plots.sweep import training_curves

__all__ = [
    "Forest",
    "Profile",
    "RiskGroups",
    "explanation_panels",
    "importance_bars",
    "modality_patterns",
    "risk_groups",
    "score_forest",
    "score_profiles",
    "survival_curve",
    "training_curves",
]
