"""What a events process is told by its environment."""

from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """Events has no settings beyond those that all services share."""
