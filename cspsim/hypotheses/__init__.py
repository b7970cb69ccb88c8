"""Hypotheses stated before the run: frozen, run, judged, reported."""
