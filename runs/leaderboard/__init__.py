"""A submission to SWE-bench's leaderboard: written, and reviewed."""
