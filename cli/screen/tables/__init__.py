"""Figures under headings: what a table is, and how it looks on a screen, in Markdown and in CSV."""
