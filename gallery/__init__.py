"""The gallery: real programs, each with a question, and what was predicted beside what was real.

`entries.py` says what there is, `measure.py` records, predicts and really runs, `figures.py` is
what came out, `pages.py` writes it down. `python -m gallery` makes all of it (`make gallery`).
"""
