"""What a replay found, and how two of them differ.

`result` says what each figure means; `verify` holds a replay against the recorded collections,
`diff` holds two results against each other. `clock` says when an event was, `series` what the heap
was over time.
"""
