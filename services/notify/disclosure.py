"""What an owner declares before people's real ids are given to somebody: the APPI's words, articles 27 to 29. Pure."""

from typing import Annotated, Any, Final, Literal

from pydantic import ConfigDict, Field, StringConstraints, WithJsonSchema, model_validator
from pydantic.functional_validators import AfterValidator
from pydantic_core import PydanticCustomError

from shared.requests import ONE_LINE, RequestBody

LegalBasis = Literal[
    "consent",
    "law",
    "vital_interest",
    "public_health",
    "government_cooperation",
    "academic",
    "entrustment",
]
"""Article 27: consent (1), the exceptions of paragraph 1 (1 to 7), entrustment (5)."""

ForeignBasis = Literal["consent", "equivalent_country", "equivalent_measures"]
"""Article 28, for a recipient abroad: consent to exactly that, a country or a recipient that protects as Japan does."""

HOME: Final = "JP"
_CODES: Final = (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY "
    "BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK "
    "FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR "
    "IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK "
    "ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM "
    "PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF "
    "TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW "
)
COUNTRIES: Final = frozenset(_CODES.split())
"""ISO 3166-1 alpha-2, all 249."""


EXAMPLE: Final[dict[str, Any]] = {
    "legal_basis": "consent",
    "recipient": "見本市 情報政策課",
    "country": HOME,
    "purpose": "会員本人が申し込んだ研修の受付",
}


def _country(code: str) -> str:
    if code not in COUNTRIES:
        raise PydanticCustomError("country", "country must be a code of ISO 3166-1 alpha-2 in capitals, such as JP")
    return code


Country = Annotated[
    str, AfterValidator(_country), WithJsonSchema({"type": "string", "enum": sorted(COUNTRIES)}, mode="validation")
]


def _shaped(schema: dict[str, Any]) -> None:
    """Adds what pydantic's own schema cannot say: abroad a second basis is needed."""
    basis = next(one for one in schema["properties"]["foreign_basis"]["anyOf"] if "enum" in one)
    schema["example"] = EXAMPLE
    schema["anyOf"] = [
        {"properties": {"country": {"const": HOME}}},
        {"required": ["foreign_basis"], "properties": {"foreign_basis": basis}},
    ]


class Disclosure(RequestBody):
    """Who gets people's real ids, for what, and what allows it. It stands in every record of a delivery."""

    model_config = ConfigDict(json_schema_extra=_shaped)

    legal_basis: Annotated[
        LegalBasis,
        Field(
            description="Article 27 of the APPI: `consent` of the person; paragraph 1 no. 1 `law`, 2 `vital_interest`, "
            "3 `public_health`, 4 `government_cooperation`, 5 to 7 `academic`; paragraph 5 no. 1 `entrustment`."
        ),
    ]
    recipient: Annotated[
        str,
        StringConstraints(min_length=1, max_length=200, pattern=ONE_LINE),
        Field(description="Who receives: name, and address or representative. Stands in the records for 3 years."),
    ]
    country: Annotated[Country, Field(description="Where the recipient is, ISO 3166-1 alpha-2.")]
    purpose: Annotated[
        str,
        StringConstraints(min_length=1, max_length=500, pattern=ONE_LINE),
        Field(description="What the recipient uses the ids for."),
    ]
    foreign_basis: Annotated[
        ForeignBasis | None,
        Field(description="Needed where `country` is not JP: article 28 of the APPI."),
    ] = None

    @model_validator(mode="after")
    def _abroad(self) -> "Disclosure":
        if self.country != HOME and self.foreign_basis is None:
            raise PydanticCustomError(
                "missing", "foreign_basis is missing: outside Japan article 28 asks for a basis of its own"
            )
        return self
