"""How events become bytes: `codec` over `_codec` (one segment), `segments` (the rows of a log)."""
