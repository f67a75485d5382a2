"""HCL on a cohort, beside other survival models."""
