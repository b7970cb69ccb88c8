"""The mix of levers that averts most harm under a budget, and what is left of it under fresh luck."""
