"""What every test runs under."""

from hypothesis import settings

settings.register_profile("barn", deadline=None)  # a busy machine is no fault of the code
settings.load_profile("barn")
