"""Organisations, accounts, and who may see or do what."""
