"""Campaigns of faults: each does one sort of harm, many times and seeded, and says what did not hold."""
