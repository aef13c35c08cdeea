"""What chooses: the candidate x test matrix, the votes and the selection trajectory."""
