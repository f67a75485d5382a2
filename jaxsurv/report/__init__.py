"""Reports: pages of text, tables and figures."""
