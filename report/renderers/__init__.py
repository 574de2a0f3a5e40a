"""Each draws a view in its own way."""
