"""The one error of this package. Must not know who raises it."""


class EngineError(Exception):
    """The engine can't do what was asked. The message says what failed, where, and what to do about it."""
