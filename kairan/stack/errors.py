"""What can go wrong with a stack; every message says what the operator can do."""


class StackError(Exception):
    """Root of all of them; the text is one line for the operator."""


class MissingPart(StackError):
    """Something that must be installed is not: Java, Maven, mongod, the light broker."""


class BadSetting(StackError):
    """A setting names something that cannot be used; the text names the setting and its value."""


class StartFailed(StackError):
    """A part ended, or did not answer in time; the text carries its last words."""


class HomeInUse(StackError):
    """Another supervisor lives in this home."""
