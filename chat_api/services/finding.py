"""What is stored, or word that it is not."""

from __future__ import annotations

from typing import TypeVar

from chat_api.errors import ObjectNotFound

T = TypeVar("T")


def there(found: T | None, kind: str, object_id: str, param: str | None = None) -> T:
    """What was found.

    Args:
        kind: as in `ObjectNotFound`.
        param: the field of the request that names it, where that is not the path.

    Raises:
        ObjectNotFound: nothing was.
    """
    if found is None:
        raise ObjectNotFound(kind, object_id, param)
    return found
