"""Which days are working days in China, and how a limit of so many working days is counted."""
