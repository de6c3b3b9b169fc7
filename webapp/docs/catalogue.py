"""The pages under docs/ that the program shows, in the order in which one learns."""

from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"
IMAGES = DOCS / "images"

# (heading, [(name of the file without .md, title)])
CHAPTERS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    (
        "Begin",
        (
            ("getting-started", "Getting started"),
            ("nasnet-search", "A NASNet search step by step"),
            ("live-page", "Reading the live page"),
            ("which-method", "Which method when"),
            ("strategies", "Which strategy when"),
            ("rewards", "What a reward is worth"),
        ),
    ),
    (
        "Go on",
        (
            ("shared-weights", "ENAS: shared weights"),
            ("many-searches", "Many searches"),
            ("your-data", "Your own data"),
            ("take-away", "Transfer and take away"),
            ("understand-and-steer", "Steering, editing, replay"),
        ),
    ),
    (
        "Run it",
        (
            ("people", "People and tokens"),
            ("limits-and-backups", "Limits, pauses, draining, backups"),
            ("security", "What protects it"),
            ("machines", "Machines and time left"),
            ("operation", "Operation"),
            ("settings", "Settings"),
            ("notices", "Notices"),
            ("terminal", "The terminal"),
            ("api", "From a program"),
        ),
    ),
    ("Look up", (("terms", "Terms"), ("benchmarks", "Benchmarks"))),
)
TITLES = {name: title for _, pages in CHAPTERS for name, title in pages}
