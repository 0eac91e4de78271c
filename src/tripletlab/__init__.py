"""Photos become faces, faces embeddings; embeddings are judged, and the best network is kept."""

__version__ = "0.1.0"
