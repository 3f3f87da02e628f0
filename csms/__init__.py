"""csms: a whole OCPP central system in one process."""

__version__ = "0.1.0"
