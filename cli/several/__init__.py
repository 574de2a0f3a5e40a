"""Several recordings at once: one setting for all workers of a service.

* `named`: which recordings a command line names.
* `tasks`: what is done with one recording, wherever that is; `workers`: processes of this machine
  that do it; `cluster`: a Dask cluster that does.
* `together`: figures of a setting over all of them.
* `replays`: the tasks of a search; `sweeping`, `tuning`, `comparing`: what the commands say.
"""
