"""Runs of one scenario: under which rules, how many at once, and what came out as tidy tables.

Stands on: basics, model, scenario. Others import: ``simulate``, ``Rulebook``, ``Results``, ``OUTCOMES``, assumption sets.
"""
