"""Names by which users of Business Central look for a page, in their languages."""

import polib
import pytest

from devtools.paths import REPO

NAMES = {
    "da": ("Ikke-fakturerede Bookings", "Opsætning af Exchange-synkronisering"),
    "fr": ("Réservations non facturées", "Configuration de la synchronisation Exchange"),
}


@pytest.mark.parametrize("language", NAMES)
def test_names_of_the_reference_product(language):
    """List, tile and every mention of the Exchange page; the tile is a whole sentence for one and for many."""
    uninvoiced, exchange = NAMES[language]
    path = REPO / "bookings_invoicing" / "i18n" / f"{language}.po"
    found = {entry.msgid: entry.msgstr for entry in polib.pofile(str(path))}
    assert found["Uninvoiced Bookings"] == uninvoiced
    assert found["%s Uninvoiced Bookings"] == f"%s {uninvoiced}"
    assert found["1 Uninvoiced Booking"].startswith("1 ")
    mentions = [text for msgid, text in found.items() if "Exchange Sync. Setup" in msgid]
    assert len(mentions) >= 3
    assert all(exchange in text for text in mentions)
