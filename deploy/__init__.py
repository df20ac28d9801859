"""Files to run Barn from: profiles, containers, Kubernetes, dashboards, load."""
