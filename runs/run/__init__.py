"""One run: its configuration, its instances driven to their end, one instance from end to end."""
