"""JSON answers of AWS into Python, as botocore does it, in a fraction of the time.

botocore looks each possible member of a structure up, whether the answer has it or not, and at every answer anew: a
service has sixty, tells a hundred events, and a fleet has a thousand services. Here what a shape asks for is worked
out once, and only what an answer holds is looked at.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from botocore.parsers import JSONParser, ResponseParser, ResponseParserFactory

from migrate.adapters.aws.timestamps import timestamp

if TYPE_CHECKING:
    from botocore.model import Shape

_Reader = Callable[[Any], Any]

_OF_KINDS: Mapping[str, _Reader] = {"timestamp": timestamp, "blob": b64decode}


class AnswerParsers(ResponseParserFactory):
    """Makes the parsers of a session: ours for the protocol ``json``, botocore's for the others."""

    def __init__(self) -> None:
        super().__init__()
        self.set_parser_defaults(timestamp_parser=timestamp)
        # botocore asks for a parser at each answer: one for all of them keeps what it has worked out.
        self._ours = AnswerParser()

    def create_parser(self, protocol_name: str) -> ResponseParser:
        """Return a parser, for any number of clients and threads."""
        return self._ours if protocol_name == "json" else super().create_parser(protocol_name)


class AnswerParser(JSONParser):
    """Reads what botocore's JSONParser reads. The shapes of answers live as long as their client does."""

    def __init__(self) -> None:
        super().__init__(timestamp_parser=timestamp)
        self._readers: dict[Shape, _Reader | None] = {}

    def _parse_shape(self, shape: Shape, node: Any) -> Any:
        if shape not in self._readers:
            self._readers[shape] = _Shapes(self).reader(shape)
        reader = self._readers[shape]
        return node if reader is None else reader(node)


class _Shapes:
    """What reads the shapes of one answer: within a service each has a name of its own."""

    def __init__(self, parser: AnswerParser) -> None:
        self._parser = parser
        self._readers: dict[str, _Reader | None] = {}

    def reader(self, shape: Shape) -> _Reader | None:
        """Return what reads a value of this shape; None where it stays as JSON has it."""
        if shape.name not in self._readers:
            self._readers[shape.name] = self._made(shape)
        return self._readers[shape.name]

    def _made(self, shape: Any) -> _Reader | None:
        kind = shape.type_name
        if kind == "structure" and shape.is_tagged_union:
            # Rare, and told apart by what they hold: botocore's own way, for which it has no other name.
            return lambda value: cast("Any", JSONParser)._handle_structure(self._parser, shape, value)  # noqa: SLF001
        if kind == "structure":
            return None if shape.is_document_type else _Structure(self.reader, shape.members)
        if kind == "list":
            return _list(self.reader(shape.member))
        if kind == "map":
            return _map(self.reader(shape.value))
        return _OF_KINDS.get(kind)


class _Structure:
    """Reads structures of one shape. Its members are worked out at the first of them: a shape may hold itself."""

    def __init__(self, reader: Callable[[Shape], _Reader | None], members: Mapping[str, Shape]) -> None:
        self._reader = reader
        self._members = members
        self._known: dict[str, tuple[str, _Reader | None]] | None = None

    def __call__(self, value: Any) -> Any:
        if value is None:
            return None
        known = self._known
        if known is None:
            known = self._known = {
                shape.serialization.get("name", name): (name, self._reader(shape))
                for name, shape in self._members.items()
            }
        found = {}
        for told, item in value.items():
            member = known.get(told)
            if member is not None and item is not None:
                name, read = member
                found[name] = item if read is None else read(item)
        return found


def _list(read: _Reader | None) -> _Reader | None:
    return None if read is None else lambda items: [None if item is None else read(item) for item in items]


def _map(read: _Reader | None) -> _Reader | None:
    return None if read is None else lambda items: {name: read(item) for name, item in items.items()}
