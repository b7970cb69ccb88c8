"""One simulated month and all it is made of: rules, arrays, luck, registers of numbers. Everything compiled, and nothing else.

Stands on: nothing of ours. Others import: everything in it; start reading at ``month``.
"""
