"""Distances, miners, losses and margins: pure functions of Keras tensors (PAPER: section II)."""
