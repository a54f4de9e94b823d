"""What is done outside the course of a diagram, with a reason: suspend, move, correct, extend, hand over, retry."""
