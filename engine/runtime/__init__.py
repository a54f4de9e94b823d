"""Running instances: one row each, and the one way to touch them."""
