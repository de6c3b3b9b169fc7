"""People: who may see what, how they sign in, and the tokens of their programs."""
