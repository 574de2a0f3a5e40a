"""The command `gcreplay`, also as ``python -m gcreplay``.

Everything else is imported when the first moments are taken care of.
"""

import signal

from gcreplay import interrupt, streams


def main() -> None:
    """Run the command and exit."""
    interrupt.ends_at_once()
    streams.prepare()
    from gcreplay.main import cli

    try:
        cli(prog_name="gcreplay")
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the exit code stands


if __name__ == "__main__":
    main()
