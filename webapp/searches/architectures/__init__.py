"""Published architectures and those that people import: looked up, kept, counted, written for other programs."""
