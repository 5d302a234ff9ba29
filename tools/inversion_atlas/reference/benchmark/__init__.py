"""Attacks run against the bundled targets, scored with the metrics, beside what needs no attack."""
