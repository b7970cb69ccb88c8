"""Play: people at one table of one partnership, the computer everywhere else. Only the page knows Solara."""
