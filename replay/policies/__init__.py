"""The collectors: one file a policy, and `registry` with their names.

To add one, subclass `policy.Policy` in a file here and name it in `registry.BUILT_IN`; its
docstring says where its rules come from. Reading order: `policy` (what a policy is), `refcount`,
`thresholds`, `generational`, `cpython311`, `manual`, `clairvoyant`, `marked` (actions at marks),
`registry`.
"""
