"""What is asked of a sweep's results: effects, robustness, discovery, sensitivity, luck, and the report of them.

Stands on: basics, comparing, model, reports, running, scenario, sweep. Others import: ``analyse`` and its page.
"""
