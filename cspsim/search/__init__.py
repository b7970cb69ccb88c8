"""The mix of levers that averts most harm under a budget, and what is left of it under fresh luck.

Stands on: basics, comparing, model, reports, running, scenario, sweep. Others import: search files, ``run_search``, their page.
"""
