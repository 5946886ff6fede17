"""YAML from any origin: a few lines cannot stand for millions of values, and every fault has its line."""

from typing import Any

import yaml

MOST_VALUES = 100_000  # with those that aliases repeat
MOST_DIGITS = 100
MOST_DEPTH = 100  # of brackets
INTEGER = "tag:yaml.org,2002:int"


class BoundedLoader(yaml.SafeLoader):
    """Raises YAMLError for texts that would take unlimited time, and instead of errors without a line."""

    def get_single_node(self) -> yaml.Node | None:
        try:
            tree = super().get_single_node()
            if tree is not None:
                _require_bounded(tree)
        except RecursionError:
            raise yaml.YAMLError("it is nested too deeply") from None
        return tree

    def fetch_flow_collection_start(self, token: type[yaml.Token]) -> None:
        if self.flow_level >= MOST_DEPTH:  # the scanner looks at all levels for every token
            problem = f"lists or mappings in more than {MOST_DEPTH} levels; write fewer"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=self.get_mark())
        super().fetch_flow_collection_start(token)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except ValueError as error:  # such as a date that does not exist
            raise _fault(node, str(error)) from error


def load(text: str) -> Any:
    """The plain values of a YAML text. Raises YAMLError."""
    return yaml.load(text, BoundedLoader)


def _require_bounded(tree: yaml.Node) -> None:
    """Counts the values below each node once, and adds them up wherever an alias repeats it."""
    counts: dict[int, int] = {}
    unfinished: set[int] = set()

    def count(node: yaml.Node) -> int:
        if id(node) in unfinished:
            raise _fault(node, "the value contains itself; write it without an alias")
        if id(node) not in counts:
            unfinished.add(id(node))
            counts[id(node)] = 1 + sum(map(count, _members(node)))
            unfinished.remove(id(node))
        if counts[id(node)] > MOST_VALUES:
            raise _fault(node, f"more than {MOST_VALUES:,} values, with those that aliases repeat; write fewer")
        return counts[id(node)]

    count(tree)


def _members(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    if isinstance(node, yaml.SequenceNode):
        return list(node.value)
    if node.tag == INTEGER and len(node.value) > MOST_DIGITS:
        raise _fault(node, f"a number of {len(node.value):,} digits, at most {MOST_DIGITS}; correct it")
    return []


def _fault(node: yaml.Node, problem: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)
