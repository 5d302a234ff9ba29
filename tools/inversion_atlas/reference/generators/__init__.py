"""Generators of images that an adversary trains on public images, some with the help of the model under attack."""
