"""Settings of all tests."""

from hypothesis import settings

settings.register_profile("cspsim", deadline=None)  # a machine may be busy: no test is timed
settings.load_profile("cspsim")
