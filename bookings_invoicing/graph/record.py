"""How one record of a Graph answer is read: what all of them share (see ``records``)."""

from .errors import RecordError
from .fields import objects
from .purposes import is_needed


class Record:
    """What all records share: how they are read. Subclasses give ``_read(raw)``, which raises a
    RecordError for the first property that it cannot understand.
    """

    __slots__ = ()

    @classmethod
    def parse(cls, raw: dict, *known):
        """The record, without what cannot be understood and is not needed.

        Raises RecordError where it is needed.
        """
        while True:
            try:
                return cls._read(raw, *known)
            except RecordError as problem:
                name = problem.field.partition(".")[0]
                if name not in raw or is_needed(cls.__name__, name):
                    raise
            raw = {key: value for key, value in raw.items() if key != name}


def inside(key: str, read, *args):
    """What ``read`` makes of something below ``key``; its errors name that too."""
    try:
        return read(*args)
    except RecordError as problem:
        raise problem.within(key) from None


def each(raw: dict, key: str, kind: type) -> tuple:
    """A list of records below ``key``."""
    items = objects(raw, key)
    return inside(key, lambda: tuple([kind.parse(item) for item in items]))
