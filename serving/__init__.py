"""Serve the backbones over HTTP: the only package that does I/O on a request's behalf."""
