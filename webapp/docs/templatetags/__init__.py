"""The words of the program, explained where they stand on a page."""
