"""What `gcreplay export` writes for other tools.

* `timeline`: collections of the recorded run and of replays, each with its time.
* `runs`: the runs that are asked for.
* `chrome`: them in the Trace Event Format.
"""
