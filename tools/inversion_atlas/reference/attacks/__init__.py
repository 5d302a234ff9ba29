"""Attacks: each takes an observation, names the paper whose method it is, and returns a reconstruction."""
