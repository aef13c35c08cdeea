"""Warm containers: each has one supervisor, and each execution a throwaway file system."""
