"""YAML files written by hand: every key once, names as text, and the line of each value for messages."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from codecfake.base import bounded_yaml, text_files
from codecfake.base.bounded_yaml import BoundedLoader
from codecfake.base.spelling import as_yaml


class ConfigurationError(ValueError):
    """A configuration file asks for something unknown, missing or impossible."""


@dataclass(frozen=True)
class Place:
    """Where a value is written, and how."""

    line: int
    depth: int  # the number of requested keys that lead to it
    text: str | None  # of a single value written without quotes; None for others


@dataclass(frozen=True)
class Document:
    """A YAML file: its values, and the tree with the line of each."""

    path: Path
    values: dict[str, Any]
    tree: yaml.Node

    def place(self, keys: tuple[str, ...]) -> Place:
        """Where the value at `keys` is written, or the nearest one around it."""
        node: yaml.Node = self.tree
        line, depth = 1, 0
        for key in keys:
            member = _member(node, key)
            if member is None:
                break
            (line, node), depth = member, depth + 1
        plain = isinstance(node, yaml.ScalarNode) and node.style is None
        return Place(line, depth, node.value if plain else None)


def read_yaml(path: Path) -> dict[str, Any]:
    """Parse a YAML mapping. Raises ConfigurationError as `read_document`."""
    return read_document(path).values


def require_syntax(path: Path) -> None:
    """Raise ConfigurationError if a file is not a YAML mapping. Duplicate keys are accepted."""
    with _explained(path):
        values = bounded_yaml.load(text_files.read(path))
    _mapping(path, values)


def read_document(path: Path) -> Document:
    """Parse a YAML mapping. Raises ConfigurationError naming file and lines; a duplicate key is an error."""
    with _explained(path):
        loader = BoundedLoader(text_files.read(path))
        try:
            tree: Any = loader.get_single_node()
            faults = [f"{path}:{line}: {text}" for line, text in sorted(_key_faults(loader, tree))]
            values = loader.construct_document(tree) if tree is not None and not faults else None
        finally:
            loader.dispose()
    if faults:
        raise ConfigurationError("\n".join(faults))
    return Document(path, _mapping(path, values), tree)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Errors of reading a file become ConfigurationErrors that name it."""
    try:
        yield
    except text_files.TextError as error:
        raise ConfigurationError(str(error)) from error
    except yaml.YAMLError as error:
        raise ConfigurationError(_syntax_fault(path, error)) from error


def _mapping(path: Path, values: Any) -> dict[str, Any]:
    if not isinstance(values, dict):
        what = "it is empty" if values is None else f"expected a mapping of settings, found {as_yaml(values)}"
        raise ConfigurationError(f"{path}:1: {what}; write `key: value` for each setting")
    return values


def _syntax_fault(path: Path, error: yaml.YAMLError) -> str:
    """What is wrong in a file that is not YAML, with the line where it begins."""
    if not isinstance(error, yaml.MarkedYAMLError):
        return f"{path}: not valid YAML: {error}"
    mark = error.context_mark or error.problem_mark
    text = ", ".join(filter(None, (error.context, error.problem)))
    if error.problem_mark and mark is not error.problem_mark:
        text += f" in line {error.problem_mark.line + 1}"
    remedy = "; indent with spaces, not with tabs" if r"'\t'" in text else ""
    return f"{path}:{mark.line + 1 if mark else 1}: not valid YAML: {text}{remedy}"


def _key_faults(loader: yaml.SafeLoader, tree: yaml.Node | None) -> Iterator[tuple[int, str]]:
    """Line and message for every key that is duplicated in its mapping, or that YAML does not read as text."""
    visited: set[int] = set()
    nodes = [tree] if tree is not None else []
    while nodes:
        node = nodes.pop()
        if id(node) in visited:  # the same node, through an alias
            continue
        visited.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            nodes += reversed(node.value)
        if isinstance(node, yaml.MappingNode):
            yield from _faults_of(loader, node)
            nodes += [value for _, value in reversed(node.value)]


def _faults_of(loader: yaml.SafeLoader, node: yaml.MappingNode) -> Iterator[tuple[int, str]]:
    lines: dict[str, int] = {}
    for key, _ in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            yield line, "a key must be text"
            continue
        if key.value in lines:
            yield line, f"duplicate key {key.value!r} in lines {lines[key.value]} and {line}; delete or rename one"
        lines[key.value] = line
        value = loader.construct_object(key) if key.tag != "tag:yaml.org,2002:merge" else key.value
        if not isinstance(value, str):
            yield line, f"YAML reads the key {key.value} as {read_as(value)}; write it in quotes: {key.value!r}"


def read_as(value: Any) -> str:
    """What YAML makes of a value that was meant as text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    kinds = {int: "the number", float: "the number", type(None): "nothing"}
    kind = kinds.get(type(value), f"the {type(value).__name__}")
    return kind if value is None else f"{kind} {value}"


def _member(node: yaml.Node, key: str) -> tuple[int, yaml.Node] | None:
    """Line and node of a member of a mapping (merged ones, `<<`, included), or of a list by its number."""
    if isinstance(node, yaml.SequenceNode) and key.isdecimal() and int(key) < len(node.value):
        member = node.value[int(key)]
        return member.start_mark.line + 1, member
    if not isinstance(node, yaml.MappingNode):
        return None
    # construction puts merged members first, so the last one counts
    members = [(name.start_mark.line + 1, value) for name, value in node.value if name.value == key]
    return members[-1] if members else None
