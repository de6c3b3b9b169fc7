"""Taking a network away: everything that runs where this program is not installed."""
