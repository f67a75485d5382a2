"""InVA: one image predicted from other images."""
