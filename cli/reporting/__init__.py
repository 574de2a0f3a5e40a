"""The report: what a recording is asked, and how its file is written."""
