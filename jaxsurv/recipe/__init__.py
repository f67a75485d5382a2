"""From a cohort to what models read, once, for studies and estimators alike."""
