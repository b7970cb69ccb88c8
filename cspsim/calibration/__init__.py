"""Uncertain numbers learned from observed crime, and forecasts scored against a year held back.

Stands on: basics, model, reports, running, scenario, sweep. Others import: calibration files, ``calibrate``, posteriors, observed series.
"""
