"""Training profiles, one YAML file each."""
