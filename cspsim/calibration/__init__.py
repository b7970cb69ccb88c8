"""Uncertain numbers learned from observed crime, and forecasts scored against a year held back."""
