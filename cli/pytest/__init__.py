"""The pytest plug-in: `pytest --gcreplay` counts the cyclic garbage and leaks of each test.

* `plugin`: the entry point; all that is imported where nobody asks for it.
* `inside`: in the recorded process: marks around each test. `repeated`: the fixture `gc_leaks`.
* `outside`: in the process that the user started. `alone`: it runs the recorded one, and passes its
  reports on. `worker`: with pytest-xdist each worker is recorded instead.
* `limits`: what limits a test has. `stretches`: tests, and parts of them, by the marks.
* `figures`: what a recording says of each stretch.
* `judgement`: which test fails. `verdict`: whether figures are over a limit, and the lines that say
  so.
"""
