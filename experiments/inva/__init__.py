"""One image predicted from others."""
