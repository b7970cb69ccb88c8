"""What each command does; ``cli`` puts them together.

Stands on: everything else. Others import: nobody but ``cli``.
"""
