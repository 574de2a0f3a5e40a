"""The command `gcreplay`, also as ``python -m gcreplay``.

Everything else is imported when the first moments are taken care of.
"""

import gc
import signal

from gcreplay import alone, interrupt, streams


def main() -> None:
    """Run the command and exit."""
    interrupt.ends_at_once()
    alone.run_alone()
    streams.prepare()
    gc.set_threshold(100_000)  # what is imported stays: nothing is found among it
    from gcreplay.main import cli

    try:
        cli(prog_name="gcreplay")
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the exit code stands
        gc.freeze()  # all of it goes with the process: its last collections need visit nothing


if __name__ == "__main__":
    main()
