"""Models to attack and the data that they are trained on: small, real, and without a download."""
