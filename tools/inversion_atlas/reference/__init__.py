"""Reference implementations of metrics, attacks and defenses; they need the extra `reference` (torch)."""
