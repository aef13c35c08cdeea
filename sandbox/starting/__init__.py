"""How a script is started, so that only its own end counts as its end."""
