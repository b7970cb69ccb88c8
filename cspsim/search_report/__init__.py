"""The report of a search: what was found, how far it was flattered, and what it takes to get it again."""
