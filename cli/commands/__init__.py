"""One file a subcommand; each defines `command`, which `gcreplay.main` imports when asked for."""
