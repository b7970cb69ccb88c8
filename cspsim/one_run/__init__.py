"""One run followed month by month: stopped where people decide, watched, and told as a story.

Stands on: basics, model, running, scenario. Others import: ``Run``, ``Witness``, events, the story.
"""
