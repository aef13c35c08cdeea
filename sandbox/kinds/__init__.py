"""What knows the sandboxes of both kinds: choosing one, and removing what they left."""
