"""Hypotheses stated before the run: frozen, run, judged, reported.

Stands on: basics, comparing, model, reports, running, scenario, sweep. Others import: hypothesis files, ``run_hypotheses``, their page.
"""
