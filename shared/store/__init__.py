"""MongoDB as the services use it: transactions, leases, change streams."""

import os
from typing import Final

# Motor calls its driver on threads, five a core unless told otherwise before it is imported, and who waits for a change
# holds one: on one core, the six change streams of a metrics process would leave none for anything else.
THREADS: Final = 64
os.environ.setdefault("MOTOR_MAX_WORKERS", str(THREADS))
