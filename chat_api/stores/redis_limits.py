"""Moving windows in Redis, by the storage of the `limits` library. See `base.LimitStore`.

`wiring.py` loads this module where a REDIS_URL is set, and never else: the client costs 50 ms and
4 MB at the start.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from limits.storage import RedisStorage
from redis import BlockingConnectionPool, ConnectionError, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from chat_api.errors import StoreUnavailable
from chat_api.stores.base import Window

TIMEOUT_SECONDS = 0.4
"""For each step, a connection or an answer: a call had better go uncounted than wait for long."""
MOST_CONNECTIONS = 20
KEY_PREFIX = "chat_api"

# `limits`' own scripts say whether there was room or how much of it there is, not both at once. The
# list is theirs: times of entries, the newest first.
WINDOW = b"""
local key = KEYS[1]
local now, limit, seconds, amount =
    tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local oldest = redis.call('LINDEX', key, -1)
while oldest and tonumber(oldest) <= now - seconds do
    redis.call('RPOP', key)
    oldest = redis.call('LINDEX', key, -1)
end
local used = redis.call('LLEN', key)
local granted = math.max(0, math.min(amount, limit - used))
if granted > 0 then
    for _ = 1, granted do redis.call('LPUSH', key, ARGV[1]) end
    redis.call('EXPIRE', key, seconds)
    used, oldest = used + granted, oldest or ARGV[1]
end
return {granted, used, oldest or ''}
"""


class RedisLimits(RedisStorage):
    """`limits`' storage with a window that tells all in one round trip.

    Args:
        clock: UTC epoch seconds, as in `SqlLimits`.
    """

    name = "redis"

    def __init__(
        self, url: str, clock: Callable[[], float] = time.time, key_prefix: str = KEY_PREFIX
    ) -> None:
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=MOST_CONNECTIONS,
            timeout=TIMEOUT_SECONDS,
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
            # A connection that Redis closed while it was idle is worth a second one, at once. What
            # got no answer in time is not asked again.
            retry=Retry(NoBackoff(), 1, supported_errors=(ConnectionError,)),
            protocol=2,  # with 3 each connection begins with a conversation of its own
        )
        super().__init__(url, connection_pool=pool, key_prefix=key_prefix)
        self._pool = pool
        self._clock = clock
        self._window = self.get_connection().register_script(WINDOW)

    def window(self, key: str, limit: int, seconds: int, amount: int) -> Window:
        """See `LimitStore.window`."""
        now = self._clock()
        try:
            reply = self._window([self.prefixed_key(key)], [repr(now), limit, seconds, amount])
            granted, used, oldest = reply
            room_in = float(oldest) + seconds - now if oldest else 0.0
            return Window(int(granted), int(used), max(0.0, room_in))
        except (RedisError, OSError, ValueError, TypeError) as error:  # away, slow, or nonsense
            raise StoreUnavailable from error

    def warm_up(self) -> None:
        """See `LimitStore.warm_up`."""
        self.check()

    def close(self) -> None:
        """See `LimitStore.close`."""
        self._pool.disconnect()
