"""What talks to the model: the client, the prompts, the edits and the trajectories."""
