"""The time of a run."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass
class Clock:
    """Time that a run has used, over all its sessions.

    Args:
        limit: Seconds that it may use; None for no limit.
        before: Seconds that earlier sessions used.
    """

    limit: float | None
    before: float = 0.0
    _started: float = field(default_factory=time.monotonic)

    @property
    def session(self) -> float:
        """Seconds of this session."""
        return time.monotonic() - self._started

    @property
    def used(self) -> float:
        """Seconds of the whole run."""
        return self.before + self.session

    @property
    def left(self) -> float | None:
        """Seconds that are left; None without a limit."""
        return None if self.limit is None else max(0.0, self.limit - self.used)

    def within(self, seconds: float = 0.0) -> bool:
        """Whether at least so many seconds are left."""
        return self.limit is None or self.used + seconds < self.limit
