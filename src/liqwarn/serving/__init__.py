"""Flags over HTTP: a file of flags, kept honest about its age, served on loopback."""
