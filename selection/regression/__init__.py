"""The repository's own tests near the edits, as votes on what an edit breaks."""
