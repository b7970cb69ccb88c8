"""What every room needs: failures people can act on, numbers as people read them, files written whole or not at all.

Stands on: nothing of ours. Others import: everything in it.
"""
