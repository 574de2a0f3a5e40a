"""Figures that are estimates, kept apart from results: `ranges` (how far the number collected can
be off) and `pauses` (milliseconds from a fitted model)."""
