"""Reading from the network: which addresses may be connected to, and how politely."""
