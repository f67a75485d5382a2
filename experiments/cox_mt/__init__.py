"""Cox-MT beside its supervised part and its baselines."""
