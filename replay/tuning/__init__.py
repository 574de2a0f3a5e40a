"""Finding a setting that suits a recorded program: which to try, and which of them to choose."""
