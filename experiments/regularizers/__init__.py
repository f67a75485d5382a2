"""KL, MMD and HSIC at matched effective scale."""
