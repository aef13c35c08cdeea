"""Writing a run for other programs: one module for each form."""
