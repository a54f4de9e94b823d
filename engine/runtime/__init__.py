"""Running instances: one row each, with everything people see of them projected beside it."""
