"""Figures and pages: ROC curves, maps of embeddings, cards, comparisons."""
