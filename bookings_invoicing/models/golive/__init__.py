from . import (
    setup_file,
    templates,
    checklist,
    rehearsal,
)
