"""What several commands share: flags, consoles, what a command ends with."""
