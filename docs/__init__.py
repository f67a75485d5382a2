"""Documentation: its pages, the results behind their numbers, and the check of both."""
