"""Scenarios compared on the same luck: paired differences, verdicts, value for money, five definitions of effective.

Stands on: basics, model, one_run, running, scenario. Others import: ``compare`` and ``Comparison``, differences, money.
"""
