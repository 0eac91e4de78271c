"""Embeddings to metrics: the LFW protocol, identification, uncertainty; and mislabelled photos."""
