"""Names that the design gives away already; each gets its model in the change that first publishes it."""

RESERVED = frozenset(
    {
        # kairan.member
        "affiliation-changed",
        # kairan.section
        "section-proposed",
        "section-opened",
        "section-merged",
        "section-closed",
        "rule-changed",
        "theme-opened",
        "theme-merged",
        "dialogue-recorded",
        # kairan.call
        "call-raised",
        "call-answered",
        "call-closed",
        # kairan.participation
        "participation-recorded",
        "archive-viewed",
        "help-recorded",
    }
)
