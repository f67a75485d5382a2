"""Arguments of public functions, read by their name: columns of any type, labels, masks, settings."""
