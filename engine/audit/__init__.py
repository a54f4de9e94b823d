"""What was done, by whom and when, in chains of hashes: one stream for the system, one for each instance."""
