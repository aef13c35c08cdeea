"""What people are shown of a run: lists, an instance with its evidence, a trajectory."""
