"""The portal's words in each language."""

from services.notify.portal.english import ENGLISH
from services.notify.portal.japanese import JAPANESE
from services.notify.portal.words import Words
from shared.web.languages import Language

WORDS: dict[Language, Words] = {"ja": JAPANESE, "en": ENGLISH}
