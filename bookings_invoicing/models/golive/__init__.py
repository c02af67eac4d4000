from . import (
    setup_file,
    checklist,
    rehearsal,
)
