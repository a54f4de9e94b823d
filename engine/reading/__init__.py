"""What people read of instances: inbox, lists, one application with its history, one task. Rows only, no workflow."""
