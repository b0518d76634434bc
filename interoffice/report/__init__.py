"""The report of a run: one self-contained HTML file that a business person can read."""
