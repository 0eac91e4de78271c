"""Embeddings to metrics: the LFW protocol, identification, and their uncertainty."""
