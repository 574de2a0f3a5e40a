"""Programs that are recorded and really run: how finely to probe, and what their runs did."""
