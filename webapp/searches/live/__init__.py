"""The live socket: news of a stream for every page that watches it."""
