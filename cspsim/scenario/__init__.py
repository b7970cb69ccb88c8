"""Scenario files: found, merged, checked, and laid out as the arrays of a world.

Stands on: basics, model. Others import: ``load_scenario`` and ``Scenario``, ``build_world``, and the readers of TOML files.
"""
