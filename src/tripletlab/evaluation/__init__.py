"""Embeddings to figures: the LFW protocol, its metrics, and their uncertainty."""
