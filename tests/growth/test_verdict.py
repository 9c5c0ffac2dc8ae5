"""The word for a row."""

import numpy as np
import pytest

from services.metrics.growth.audit import ENOUGH_H
from services.metrics.growth.verdict import verdict

PLAIN = float(np.log(100))


@pytest.mark.parametrize(
    ("effect", "log_evidence", "word"),
    [
        (0.99, PLAIN + 0.01, "clear"),
        (0.99, PLAIN - 0.01, "likely"),
        (0.95, PLAIN + 5, "likely"),
        (0.51, 0.0, "likely"),
        (0.50, PLAIN + 5, "unclear"),
        (0.0, 0.0, "unclear"),
    ],
)
def test_a_word_needs_probability_and_clear_needs_evidence_too(effect: float, log_evidence: float, word: str) -> None:
    assert verdict(ENOUGH_H, 1, effect, log_evidence, 100.0) == word
    assert verdict(ENOUGH_H - 1, 1, effect, log_evidence, 100.0) == "too_little_data"


def test_a_raised_threshold_asks_for_more() -> None:
    assert verdict(ENOUGH_H, 1, 0.99, PLAIN + 1, 100.0) == "clear"
    assert verdict(ENOUGH_H, 1, 0.99, PLAIN + 1, 500.0) == "likely"


def test_before_an_hour_of_the_window_is_known_nothing_is_likely() -> None:
    assert verdict(ENOUGH_H, 0, 0.7, 0.0, 100.0) == "unclear"
    assert verdict(ENOUGH_H, 1, 0.7, 0.0, 100.0) == "likely"
    assert verdict(ENOUGH_H - 1, 0, 0.7, 0.0, 100.0) == "too_little_data"
