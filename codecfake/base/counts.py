"""Whole numbers as types of command-line options."""

import argparse


def count(text: str) -> int:
    """A whole number from 0."""
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{number} is below 0")
    return number


def positive(text: str) -> int:
    """A whole number from 1."""
    number = count(text)
    if number == 0:
        raise argparse.ArgumentTypeError("0 is below 1")
    return number
