"""MLflow: runs, the model registry, serving."""
