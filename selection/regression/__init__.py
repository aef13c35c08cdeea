"""Repository tests near the edits, which vote on what an edit breaks."""
