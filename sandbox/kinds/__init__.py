"""For sandboxes of both kinds: choosing one, and removing what they left."""
