"""Reads Odoo's log: what is in it at WARNING or above that is not the machine's own doing."""

import re

RECORD = re.compile(
    r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d+ \d+ (?P<level>[A-Z]+) (?P<db>\S+) (?P<logger>\S+): "
)
BAD = {"WARNING", "ERROR", "CRITICAL"}
# What Odoo logs on this kind of machine without our addons, and why.
FOREIGN = (
    # Optional fonts, drivers and services that a test machine lacks.
    "Unable to find Wkhtmltopdf on this system",
    "You need Wkhtmltopdf to print a pdf version",
    # Debian leaves the source maps and some minified libraries out.
    "sourceMappingURL",
)


def complaints(text, foreign=FOREIGN):
    """Records of the log at WARNING or above, without those of the machine, as lists of lines."""
    found, current = [], None
    for line in text.splitlines():
        match = RECORD.match(line)
        if match:
            current = None
            if match["level"] in BAD and not any(part in line for part in foreign):
                current = [line]
                found.append(current)
        elif current is not None:
            current.append(line)
    return ["\n".join(record[:30]) for record in found]
