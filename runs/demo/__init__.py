"""What `troop demo` repairs: a small library with a bug in it, its issue, and recorded replies."""
