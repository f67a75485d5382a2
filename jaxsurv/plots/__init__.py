"""Figures from results; each function returns a matplotlib figure and touches no file."""

from jaxsurv.plots._hazard_ratios import hazard_ratios
from jaxsurv.plots._nomogram import nomogram
from jaxsurv.plots._patient_sheet import patient_sheet
from jaxsurv.plots.cohort import modality_patterns
from jaxsurv.plots.coxnet import coefficient_paths
from jaxsurv.plots.decisions import calibration, decision_curves
from jaxsurv.plots.forest import Forest, score_forest
from jaxsurv.plots.importance import explanation_panels, importance_bars
from jaxsurv.plots.incidence import incidence_groups
from jaxsurv.plots.profiles import Profile, score_profiles
from jaxsurv.plots.residuals import residuals_against, schoenfeld
from jaxsurv.plots.survival import (
    RiskGroups,
    kaplan_meier_groups,
    risk_groups,
    survival_curve,
)
from jaxsurv.plots.sweep import training_curves

__all__ = [
    "Forest",
    "Profile",
    "RiskGroups",
    "calibration",
    "coefficient_paths",
    "decision_curves",
    "explanation_panels",
    "hazard_ratios",
    "importance_bars",
    "incidence_groups",
    "kaplan_meier_groups",
    "modality_patterns",
    "nomogram",
    "patient_sheet",
    "residuals_against",
    "risk_groups",
    "schoenfeld",
    "score_forest",
    "score_profiles",
    "survival_curve",
    "training_curves",
]
