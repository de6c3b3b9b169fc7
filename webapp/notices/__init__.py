"""What people are told when a search ends, stalls or fails: written with what happened, then brought to them."""
