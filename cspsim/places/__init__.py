"""Every real Community Safety Partnership of England and Wales: found by name, and written down as a scenario of today.

Stands on: basics, model, running, scenario. Others import: ``find_places``, ``place_scenario_text``, ``real_country``, ``to_fill_in``.
"""
