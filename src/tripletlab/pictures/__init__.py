"""Pictures of a verdict: ROC curves, and maps of the embeddings."""
