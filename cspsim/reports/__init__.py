"""What people read and look at: tables, figures, the page of a comparison, the register of numbers in words.

Stands on: basics, comparing, model, running, scenario. Others import: everything in it.
"""
