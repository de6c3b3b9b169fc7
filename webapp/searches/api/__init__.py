"""The HTTP API: what the pages use and what programs may rely on. `routes.api` is all of it."""
