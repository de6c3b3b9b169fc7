"""Searches and trainings: rows, leases, events, pages, API and workers."""
