"""Records a program: a C capture inside it, everything else outside, canonical events at the end."""
