"""What a person reads to learn the program: its words, and the pages under docs/."""
