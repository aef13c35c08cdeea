"""Selection over stored runs, and what each way to choose is worth."""
