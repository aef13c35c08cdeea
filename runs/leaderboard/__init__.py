"""Submissions to SWE-bench's leaderboard: writing and reviewing them."""
