"""Settings of all tests."""

from browser import chromium_ends_with_its_file, visit
from hypothesis import settings

__all__ = ["chromium_ends_with_its_file", "visit"]

settings.register_profile("cspsim", deadline=None)  # a machine may be busy: no test is timed
settings.load_profile("cspsim")
