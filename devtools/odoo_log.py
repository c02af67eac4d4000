"""Find records at level WARNING or above in Odoo's log, except those that are caused by the machine."""

import re

RECORD = re.compile(
    r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d+ \d+ (?P<level>[A-Z]+) (?P<db>\S+) (?P<logger>\S+): "
)
BAD = {"WARNING", "ERROR", "CRITICAL"}
# Records that Odoo logs on such machines even without our addons, and why.
FOREIGN = (
    # Optional programs that a test machine lacks.
    "Unable to find Wkhtmltopdf on this system",
    "You need Wkhtmltopdf to print a pdf version",
    # Debian omits the source maps and some minified libraries.
    "sourceMappingURL",
)


def complaints(text, foreign=FOREIGN):
    """Return the records of a log at level WARNING or above, without those in ``foreign``, as texts."""
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
