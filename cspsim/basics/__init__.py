"""What every room needs: error messages people can act on, numbers as people read them, files written whole or not at all.

Stands on: model. Others import: everything in it.
"""
