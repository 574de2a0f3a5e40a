"""The recommended setting: what is said of it, how it is pasted, whether real runs bear it out."""
