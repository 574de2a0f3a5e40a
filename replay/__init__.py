"""Replays an event log under a garbage collection policy: engine, policies, results, comparison."""
