"""Figures and pages: ROC, maps of embeddings, cards, comparisons."""
