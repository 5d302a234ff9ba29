"""Dated versions of the data: what changed, how they are cited, and the archive that is deposited."""
