"""Troop as a library: what `import troop` offers. docs/api.md describes it."""
