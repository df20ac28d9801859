"""Ways to run a backbone. `base` is the contract; each other module keeps it."""
