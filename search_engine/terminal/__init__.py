"""What the terminal is made of: the command line, progress, and folders that hold a search or a training."""
