"""How strongly the KL term of a survival VAE should weigh."""
