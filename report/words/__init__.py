"""Wording that everything a person reads shares: numbers, places of code, text of others."""
