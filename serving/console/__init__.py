"""Pages for people, rendered by the gateway: no build step, nothing from outside."""
