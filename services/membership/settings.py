"""What a membership process is told by its environment."""

from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """Membership has no settings beyond those that all services share."""
