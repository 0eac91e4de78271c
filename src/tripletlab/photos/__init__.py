"""Trees of photos on disk, the pairs that judge a model, and the synthetic people."""
