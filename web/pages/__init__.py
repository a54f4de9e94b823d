"""One blueprint per group of pages."""
