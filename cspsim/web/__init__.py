"""The web view: explore, watch, play and the facilitator's kit.

Stands on: basics, comparing, mesa_model, model, one_run, places, reports, running, scenario,
sweep. Others import: ``server.serve``; the kit's printable page.
"""
