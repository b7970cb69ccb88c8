"""Sweeps: from an experiment file over a design to stored runs, on one machine or many.

Stands on: basics, model, running, scenario. Others import: experiment files, plans, ``run_sweep``, ``load_results``.
"""
