"""Distances, miners, losses and margins: pure functions of Keras tensors (paper, section II)."""
