"""``python -m gcreplay`` is the command ``gcreplay``."""

from gcreplay.main import cli

if __name__ == "__main__":
    cli(prog_name="gcreplay")
