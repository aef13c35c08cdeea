"""What a person starts and what comes out: configuration, engine, store, progress, command line."""
