"""Scenarios: who does what, when, and what must then be true, written by analysts and played on the real engine."""
