"""Sweep spaces, the study that remembers their trials, and the table that compares them."""
