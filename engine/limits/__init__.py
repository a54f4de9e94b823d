"""Running limits (期限): the calendar that moves them, their clocks, and what people are told of their days."""
