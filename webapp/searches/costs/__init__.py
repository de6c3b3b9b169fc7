"""What a start will cost, and what a person should know before it."""
