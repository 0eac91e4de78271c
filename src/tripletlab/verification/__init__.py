"""Embeddings to a verdict: the LFW protocol, and how sure one may be of it."""
