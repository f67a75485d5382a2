"""Who shares what, where the truth is known: recovery, prediction, outcomes."""
