"""A synthetic country: some 300 partnerships in 43 police-force areas, drawn from documented distributions and run area by area.

Stands on: basics, comparing, model, running, scenario. Others import: ``generate_country``, ``run_country``.
"""
