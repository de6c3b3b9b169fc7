"""How long what runs will still take, and whose turn it is next."""
