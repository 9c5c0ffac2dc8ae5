"""Quick claims: they pay what was staked and no more, and are not made where a surge is likely."""

import numpy as np
import pytest

from services.metrics.growth.evidence import ALARM
from services.metrics.growth.quick import CLAIMED_H, STAKE, Claims


@pytest.mark.parametrize("per_hour", [0.02, 0.3, 1.0, 3.0])
def test_quick_claims_pay_no_more_than_was_staked(per_hour: float) -> None:
    rng = np.random.default_rng(4)
    windows, frailty = 200_000, 35.0
    some = np.ones(windows)
    claims = Claims.start(some, some / frailty)
    rate = per_hour * rng.gamma(frailty, 1 / frailty, windows)
    for _ in range(CLAIMED_H):
        claims.tick(rng.poisson(rate).astype(float), per_hour * some, None)
    assert claims.paid.mean() <= CLAIMED_H * STAKE + 4 * claims.paid.std() / windows**0.5
    assert claims.paid.max() <= CLAIMED_H * ALARM


def test_a_quick_claim_is_not_made_while_a_surge_goes_on_or_where_others_published() -> None:
    _, surging, beside = np.eye(3)
    claims = Claims.start(np.ones(3), np.full(3, 0.03))
    claims.surging = 0.7 * surging
    claims.tick(np.full(3, 9.0), np.full(3, 0.4), 0.2 * beside)
    assert claims.paid[0] > 20
    assert claims.paid[1:].max() == 0
