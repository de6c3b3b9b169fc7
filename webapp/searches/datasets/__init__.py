"""Data sets as people see them: known ones, and their own, which arrive as archives and are checked before use."""
