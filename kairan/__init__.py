"""The command line and what it drives: the stack, the community's year."""
