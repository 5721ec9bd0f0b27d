"""How filters are designed: prototypes, transforms of them, and what audio has of its own."""
