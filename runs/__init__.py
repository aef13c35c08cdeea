"""What a person starts and what comes out: configuration, batch, store, progress, command line."""
