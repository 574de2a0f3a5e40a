"""The pytest plug-in: `pytest --gcreplay` counts the cyclic garbage and leaks of each test.

* `plugin`: the entry point; all that is imported where nobody asks for it.
* `inside`: in the recorded process: marks around each test, and what its limits are.
* `outside`: in the process that the user started: runs the recorded one, passes its reports on.
* `workers`: the same with pytest-xdist, where each worker is recorded.
* `figures`: what a recording says of each test.
* `judgement`: which test is over which limit, and how that is told.
"""
