"""One run as a Mesa model whose agents take their own decisions.

Stands on: basics, model, one_run, running, scenario. Others import: ``PartnershipModel`` and its agents.
"""
