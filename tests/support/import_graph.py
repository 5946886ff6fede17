"""The rooms of the two packages and the imports between them: python tests/support/import_graph.py [CHECKOUT]

A room is a folder right below a package, or a module that lies loose in one. An arrow is one room that imports another;
imports inside functions count too, and imports that a name decides at run time do not.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

PACKAGES = ("codecfake", "codec_wrappers")


def arrows(root: Path) -> dict[str, set[str]]:
    """Room -> the rooms that it imports, for every room below `root`."""
    modules = dict(_modules(root))
    rooms: dict[str, set[str]] = {room_of(name): set() for name in modules}
    for name, path in modules.items():
        targets = {room_of(target) for target in _imported(path, set(modules))}
        rooms[room_of(name)] |= targets - {room_of(name)}
    return rooms


def room_of(module: str) -> str:
    """`codecfake/audio` of `codecfake.audio.shards`, `codecfake` of the package's own face."""
    return "/".join(module.split(".")[:2])


def cycles(graph: dict[str, set[str]]) -> list[str]:
    """The rooms that can be reached from themselves."""
    return sorted(room for room in graph if room in _reached(graph, room))


def _reached(graph: dict[str, set[str]], start: str) -> set[str]:
    visited: set[str] = set()
    ahead = list(graph[start])
    while ahead:
        room = ahead.pop()
        if room not in visited:
            visited.add(room)
            ahead += graph[room]
    return visited


def _modules(root: Path) -> Iterator[tuple[str, Path]]:
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def _imported(path: Path, modules: set[str]) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                member = f"{node.module}.{alias.name}"
                yield from (name for name in (member if member in modules else node.module,) if name in modules)


if __name__ == "__main__":
    graph = arrows(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[2])
    for room, targets in sorted(graph.items()):
        print(f"{room}: {', '.join(sorted(targets)) or '-'}")
    print(
        f"{len(graph)} rooms, {sum(map(len, graph.values()))} arrows, in circles: {', '.join(cycles(graph)) or 'none'}"
    )
