"""The command `gcreplay`: one file a subcommand, the one place that knows store, tracer and replay."""
