"""Runs a program and writes the CPU seconds of it alone, user and system, into a file.

`python -IS timed.py FILE PROGRAM ARGUMENTS...`; a shell script that ends so can be given to
`gcreplay record --python`, which tells the recorded program's time from the recorder's.
"""

import os
import sys

child = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(child, 0)
with open(sys.argv[1], "w") as file:  # noqa: PTH123 (pathlib would be most of our own start)
    file.write(repr(usage.ru_utime + usage.ru_stime))
os._exit(os.waitstatus_to_exitcode(status) & 255)
