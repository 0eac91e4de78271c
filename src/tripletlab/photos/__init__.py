"""Trees of photos on disk, pairs of photos, and the synthetic people."""
