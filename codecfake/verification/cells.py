"""The cells of a line; columns are separated by tabs, commas, semicolons, vertical bars or spaces."""

from codecfake.base import text_tables

DELIMITERS = {  # spaces last: any line may have some
    "tabs": text_tables.TABS,
    "commas": text_tables.COMMAS,
    "semicolons": text_tables.SEMICOLONS,
    "bars": text_tables.BARS,
    "spaces": text_tables.BLANKS,
}


def split(line: str, delimiter: str) -> list[str]:
    """The cells of a line, without the blanks around them. Raises CellError if a quotation mark is not closed."""
    separator = DELIMITERS[delimiter]
    if separator == text_tables.BLANKS:
        is_plain = (
            line.isascii() and line.isprintable()
        )  # then spaces are its only blanks, and this is four times faster
        return line.split() if is_plain else text_tables.cells(line, separator)
    if '"' not in line:
        return [cell.strip() for cell in line.split(separator)]
    return [cell.strip() for cell in text_tables.cells(line, separator)]
