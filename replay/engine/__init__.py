"""The mechanism below the policies: native, without a Python call per event.

`_engine` applies events to a heap until a trigger fires; the headers beside it, in reading order
`heap`, `links`, `death`, `collect`, `advance`, `annotate`, `figures`, are its parts. `storage`
starts it from a log (free lists), `annotation` finds when garbage became unreachable.
"""
