"""The science of growth, pure: did this publication bring members, how many, how sure are we? See docs/growth.md."""

from services.metrics.growth.ledger import ledger
from services.metrics.growth.model import Audit, Band, Joins, Ledger, Publication, Row, Series, Spike, Verdict

__all__ = ["Audit", "Band", "Joins", "Ledger", "Publication", "Row", "Series", "Spike", "Verdict", "ledger"]
