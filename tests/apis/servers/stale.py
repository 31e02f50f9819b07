"""A cache that lags, for servers that are asked to answer reads from one."""

from time import monotonic

AGE = 0.020  # seconds


class Stale:
    """Says what was so up to `AGE` ago."""

    def __init__(self):
        self._held = {}

    def of(self, key, now):
        """What is held of `key`, and `now` where nothing is, or what is has grown old."""
        since, held = self._held.get(key, (float("-inf"), None))
        if monotonic() - since < AGE:
            return held
        self._held[key] = (monotonic(), now)
        return now
