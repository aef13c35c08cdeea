"""Codebases: the text files of a repository at a commit, read from archives, images and git."""
