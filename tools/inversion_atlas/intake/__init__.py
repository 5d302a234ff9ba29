"""From an identifier, an address or a file to a draft record."""
