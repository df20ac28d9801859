"""Rules for Prometheus, and the same for its operator."""
