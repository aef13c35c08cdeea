"""Patches: the one reader of diffs, their repair, and git applying them."""
