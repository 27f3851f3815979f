"""What a YAML file of people may hold: it is looked through before anything is built from it.

Aliases let forty lines stand for more than a machine holds, nesting exhausts the reader's stack, and merged keys do
both. The reader of events works as it goes, so that a file is given up at the first thing that is too much.
"""

import yaml

#: Bytes of a file. The time limits of a whole law take twenty thousand.
MAX_BYTES = 1_000_000
#: Lists and mappings within each other.
MAX_DEPTH = 30
#: Values, with everything that an alias stands for counted where it stands.
MAX_VALUES = 100_000
#: Characters of a number, which are read one after the other.
MAX_PLAIN = 10_000


class TooMuch(yaml.YAMLError):
    """A YAML file that holds more than a person writes."""


def require_modest(content: bytes) -> None:
    """Raise TooMuch for a file that would be large once it is built; yaml.YAMLError for one that is no YAML."""
    if len(content) > MAX_BYTES:
        raise TooMuch(f"The file has {len(content)} bytes, more than {MAX_BYTES}.")
    sizes: dict[str, int] = {}
    open_nodes: list[tuple[str | None, int]] = []
    total = 0
    for event in yaml.parse(content, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.AliasEvent):
            total += sizes.get(event.anchor or "", MAX_VALUES + 1)
        elif isinstance(event, yaml.CollectionStartEvent):
            total += 1
            open_nodes.append((event.anchor, total - 1))
            if len(open_nodes) > MAX_DEPTH:
                raise TooMuch(f"Lists and mappings stand more than {MAX_DEPTH} deep in each other.")
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = open_nodes.pop()
            if anchor is not None:
                sizes[anchor] = total - before
        elif isinstance(event, yaml.ScalarEvent):
            total += 1
            if event.anchor is not None:
                sizes[event.anchor] = 1
            if event.style is None and len(event.value) > MAX_PLAIN:
                raise TooMuch(f"A value without quotation marks has {len(event.value)} characters.")
        if total > MAX_VALUES:
            raise TooMuch(f"The file stands for more than {MAX_VALUES} values.")


__all__ = ["TooMuch", "require_modest"]
