"""What a metrics process is told by its environment."""

from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """Metrics has no settings beyond those that all services share."""
