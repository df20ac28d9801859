"""Pictures with exact ground truth, the questions about them, and the pre-training text."""
