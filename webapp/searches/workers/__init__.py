"""Workers and what keeps them going: they claim jobs, drive a trainer, and hand in what it computes."""
