"""Defenses, one module per idea; each gives back what it was given, changed, so that any attack runs on it."""
