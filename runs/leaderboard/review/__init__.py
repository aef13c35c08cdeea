"""What a reviewer of SWE-bench's leaderboard would reject in a submission."""
