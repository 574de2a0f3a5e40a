"""Programs that are recorded and really run: how closely to look, and what their runs did."""
