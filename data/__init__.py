"""What goes in: instances, codebases, patches, and the formats they come from."""
