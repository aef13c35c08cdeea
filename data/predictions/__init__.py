"""Predictions: patches in the files that benchmarks share, read whatever their state."""
