"""Figures that are estimates, kept apart from results: `pauses` (milliseconds from a fitted
model)."""
