"""Decide which backbone answers a query. Pure: no I/O, no clock, no randomness of its own."""

from routing.policy import decide
from routing.tasks import classify

__all__ = ["classify", "decide"]
