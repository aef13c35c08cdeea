"""One run: its configuration, the work on its instances, one instance from end to end."""
