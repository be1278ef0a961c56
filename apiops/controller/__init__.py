"""Runs that nobody starts by hand: again and again at an interval, until told to stop."""
