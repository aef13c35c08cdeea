"""Instances: one issue with its codebase each, and the datasets and repositories they come from."""
