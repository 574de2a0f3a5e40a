"""Pure functions: each makes a section of the report from results."""
