"""The page's words in each language."""

from services.metrics.page.english import ENGLISH
from services.metrics.page.japanese import JAPANESE
from services.metrics.page.words import Words
from shared.web.languages import Language

WORDS: dict[Language, Words] = {"ja": JAPANESE, "en": ENGLISH}
