"""Batches of faces, the fit of a network to them, and its embeddings."""
