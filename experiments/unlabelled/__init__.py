"""When patients without an outcome help."""
