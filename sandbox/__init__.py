"""Where scripts run: the sandbox protocol and its implementations."""
