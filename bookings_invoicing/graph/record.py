"""The base class of records in Graph responses (see ``records``)."""

from .errors import RecordError
from .fields import objects
from .purposes import is_needed


class Record:
    """Base class of records. Subclasses define ``_read(raw)``, which raises RecordError for the first invalid property."""

    __slots__ = ()

    @classmethod
    def parse(cls, raw: dict, *known):
        """Return the record without its invalid properties. Raises RecordError if one of them is needed."""
        while True:
            try:
                return cls._read(raw, *known)
            except RecordError as problem:
                name = problem.field.partition(".")[0]
                if name not in raw or is_needed(cls.__name__, name):
                    raise
            raw = {key: value for key, value in raw.items() if key != name}


def inside(key: str, read, *args):
    """Return ``read(*args)``, and add ``key`` to the name of the property in its errors."""
    try:
        return read(*args)
    except RecordError as problem:
        raise problem.within(key) from None


def each(raw: dict, key: str, kind: type) -> tuple:
    """Return the records in the list ``key``."""
    items = objects(raw, key)
    return inside(key, lambda: tuple([kind.parse(item) for item in items]))
