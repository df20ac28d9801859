"""Load scenarios for Locust."""
