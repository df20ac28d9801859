"""Decide which backbone answers a query. Pure: no I/O, no clock, no randomness of its own."""
