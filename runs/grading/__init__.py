"""Grades: what a benchmark's own tests say of a patch. No selector ever sees a grade."""
