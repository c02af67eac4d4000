"""What the sandbox businesses sell, who works there and who comes: invented, but believable.

Two businesses: a clinic in Copenhagen that uses every kind of price, and a small studio in Lyon
whose mailbox gives its time zone by a Windows name. All addresses are under ``.example``.
"""

# ruff: noqa: E501 (one row a person reads better than four)
from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple


class ServicePlan(NamedTuple):
    key: str
    name: str
    minutes: int
    price: Decimal
    price_type: str
    share: int
    description: str
    attendees: int = 1
    online: bool = False
    questions: tuple = ()


class StaffPlan(NamedTuple):
    key: str
    name: str
    email: str
    role: str


class Person(NamedTuple):
    """One entry of /customers; None or "" where the business never asked."""

    name: str
    email: str | None
    phone: str | None = ""
    street: str = ""
    city: str = ""
    postcode: str = ""
    country: str = ""
    state: str = ""


class BusinessPlan(NamedTuple):
    key: str
    mailbox: str
    name: str
    kind: str
    zone: str
    wire_zone: str
    language: str
    phone: str
    site: str
    address: dict
    services: tuple
    staff: tuple
    questions: tuple
    people: tuple


# Amounts in euro; other currencies are scaled so that a massage costs what a massage costs there.
SCALE = {
    "DKK": (Decimal("7.46"), 2),
    "SEK": (Decimal("11.3"), 2),
    "NOK": (Decimal("11.6"), 2),
    "CHF": (Decimal("0.96"), 2),
    "GBP": (Decimal("0.86"), 2),
    "USD": (Decimal("1.09"), 2),
    "JPY": (Decimal("163"), 0),
    "KWD": (Decimal("0.335"), 3),
    "TND": (Decimal("3.4"), 3),
}

CURRENCIES = (
    ("AUD", "$"), ("CAD", "$"), ("CHF", "CHF"), ("DKK", "kr."), ("EUR", "€"), ("GBP", "£"),
    ("JPY", "¥"), ("NOK", "kr"), ("NZD", "$"), ("PLN", "zł"), ("SEK", "kr"), ("USD", "$"),
)  # fmt: skip

QUESTIONS = (
    ("company", "Company name", "text", ()),
    ("vat", "VAT number", "text", ()),
    ("po", "PO number or reference for the invoice", "text", ()),
    ("payer", "Who pays?", "radioButton", ("I pay myself", "My employer", "My insurance")),
    ("aim", "What would you like help with?", "text", ()),
)

LABELS = (
    "No show",
    "Free of charge",
    "Late cancellation",
    "Paid on site",
    "VIP",
    "Bill to employer",
)

COMPANIES = (
    ("Nordkaj Logistik ApS", "DK99443321"),
    ("Brightwater Ltd", "GB 980 7806 84"),
    ("Möbelwerk Höfner GmbH", "DE 999 999 999"),
    ("Atelier Sauvage SARL", ""),
    ("Lumen & Søn", "DK-99 12 34 56"),
)


def price_in(currency: str, euros: Decimal) -> Decimal:
    """A euro price in another currency, rounded to what that currency can pay."""
    factor, digits = SCALE.get(currency, (Decimal(1), 2))
    return (euros * factor).quantize(Decimal(1).scaleb(-digits))


# A service that is created later, before it is said what it is.
MADE_SERVICE = ServicePlan("made", "", 60, Decimal(0), "notSet", 0, "")

_D = Decimal
_INVOICE = ("company", "vat", "po")

CLINIC_SERVICES = (
    ServicePlan("consult", "Physiotherapy consultation", 45, _D("62.35"), "fixedPrice", 15,
                "First examination with a treatment plan.", questions=(*_INVOICE, "payer", "aim")),
    ServicePlan("follow", "Follow-up visit", 30, _D("41.80"), "fixedPrice", 13,
                "Treatment after the plan.", questions=("payer",)),
    ServicePlan("massage", "Sports massage", 50, _D("74.90"), "hourly", 9,
                "Priced by the hour; bring a towel.", questions=("aim",)),
    ServicePlan("class", "Ergonomics class", 90, _D("18.45"), "fixedPrice", 6,
                "In a group of up to eight.", attendees=8, questions=("company", "po")),
    ServicePlan("intro", "Introductory call", 20, _D("0"), "free", 5,
                "Get to know us, online and free.", online=True),
    ServicePlan("gait", "Gait analysis", 50, _D("95.15"), "startingAt", 4,
                "From this price; the report costs extra.", questions=_INVOICE),
    ServicePlan("home", "Home visit", 75, _D("110.25"), "priceVaries", 3,
                "Depends on how far we travel.", questions=("payer",)),
    ServicePlan("talk", "Corporate health talk", 120, _D("0"), "callUs", 2,
                "Call us for an offer.", questions=_INVOICE),
    ServicePlan("phone", "Telephone advice", 15, _D("0"), "notSet", 2,
                "A quick question.", online=True),
    ServicePlan("legacy", "Back check (old page)", 40, _D("33.33"), "undefined", 1,
                "Made before prices had a type."),
)  # fmt: skip

CLINIC_STAFF = (
    StaffPlan("astrid", "Astrid Vinter", "astrid.vinter@harbourclinic.example", "administrator"),
    StaffPlan("tomasz", "Tomasz Zieliński", "tomasz@harbourclinic.example", "teamMember"),
    StaffPlan("grace", "Grace Okonkwo", "grace.okonkwo@harbourclinic.example", "scheduler"),
    StaffPlan("mathis", "Mathis Lefèvre", "mathis@harbourclinic.example", "viewer"),
    StaffPlan("yuki", "Yuki Tanabe", "yuki.tanabe@freelance.example", "externalGuest"),
)

CLINIC_PEOPLE = (
    Person("Ines Carvalho", "ines.carvalho@fjordmail.example", "+45 20 11 34 01", "Havnegade 12, 2. tv", "København K", "1058", "Denmark"),
    Person("Peter Hansen", "peter.hansen@posten.example", "+45 31 22 90 14", "Strandvejen 201", "Hellerup", "2900", "Danmark"),
    Person("Peter Hansen", "ph.tomrer@byg.example", "61 40 77 02", "Amagerbrogade 88", "København S", "2300", "DK"),
    Person("Freja Nygaard", "familien.nygaard@fjordmail.example", "+45 28 70 15 66", "Elmevej 4", "Roskilde", "4000", "Danmark"),
    Person("Emil Nygaard", "familien.nygaard@fjordmail.example", "", "Elmevej 4", "Roskilde", "4000", "Danmark"),
    Person("Ines M. Carvalho", "Ines.Carvalho@Fjordmail.example", "20113401", "Havnegade 12", "Copenhagen", "1058", "denmark"),
    Person("Søren Å. Bæk-Lund", "sbl@lund.example", "+45 40 12 00 98", "Åboulevarden 3", "Aarhus C", "8000", "Danmark"),
    Person("Ayşe Yıldırım", "ayse@kontoret.example", "+45 53 91 28 07", "Nørrebrogade 40", "København N", "2200", ""),
    Person("Liam O'Connor", "liam.oconnor@brightwater.example", "+44 20 7946 0312", "14 Quay St", "Bristol", "BS1 4XX", "United Kingdom"),
    Person("Małgorzata Wójcik", "m.wojcik@poczta.example", "+48 12 345 67 89", "ul. Długa 5/7", "Kraków", "31-147", "Polska"),
    Person("Karl-Heinz Höfner", "kh@hoefner.example", "+49 40 123456", "Fischmarkt 1", "Hamburg", "22767", "Deutschland"),
    Person("Chloé Sauvage", "chloe.sauvage@atelier.example", "+33 1 99 00 12 34", "8 rue de l'Évêché", "Lyon", "69005", "France"),
    Person("Nguyễn Thị Mai", "mai.nguyen@fjordmail.example", "+45 22 90 55 31"),
    Person("Oskar Lindqvist", None, "+46 8 123 456 00", "Storgatan 19", "Malmö", "211 42", "Sverige"),
    Person("Gudrun Berg", None, "+45 39 62 11 20", "Vestergade 2", "Dragør", "2791", "Danmark"),
    Person("Mehmet Aslan", "", "+45 27 14 88 93"),
    Person("", "anonym.kunde@posten.example", "+45 60 13 13 13"),
    Person("Priya Raghunathan", "priya.r@konsulent.example", None, "Islands Brygge 79", "København S", "2300", "Denmark"),
    Person("Jean-Luc Dubois", "jl.dubois@konsulent.example", "", "Grand Rue 3", "Luxembourg", "L-1660", "LU"),
    Person("Aino Virtanen", "aino.virtanen@posti.example", "+358 9 1234 567", "Mannerheimintie 10", "Helsinki", "00100", "Suomi"),
    Person("Jürg Bürgi", "j.buergi@alpen.example", "+41 44 668 18 00", "Limmatquai 4", "Zürich", "8001", "Schweiz"),
    Person("Rosa van den Heuvel", "rosa@heuvel.example", "+31 20 555 01 10", "Prinsengracht 263", "Amsterdam", "1016 GV", "Nederland"),
    Person("Björk Jónsdóttir", "bjork@hafn.example", "+354 551 2345", "Laugavegur 7", "Reykjavík", "101", "Ísland"),
    Person("Matteo De Luca", "matteo.deluca@studio.example", "+39 06 1234 5678", "Via Roma 11", "Roma", "00184", "Italy", "RM"),
    Person("Fatima El Amrani", "fatima@kontoret.example", "+45 71 90 02 44", "Frederikssundsvej 60", "Brønshøj", "2700", "Danmark"),
    Person("Dr. Ole Kirkegaard", "ole@kirkegaard.example", "+45 33 12 45 78", "Bredgade 33", "København K", "1260", "Denmark"),
    Person("Hannah Weiß", "hannah.weiss@posteo.example", "+49 30 901820", "Kastanienallee 2", "Berlin", "10435", "germany "),
    Person("Zoë Papadopoulou", "zoe.p@fjordmail.example", "+45 26 31 07 19", "Vesterbrogade 120", "København V", "1620", "DENMARK"),
    Person("Andrei Popescu", "andrei.popescu@byg.example", "+45 52 60 91 91"),
    Person("Maria Hansen", "maria.hansen@posten.example", "+45 31 22 90 15", "Strandvejen 201", "Hellerup", "2900", "Danmark"),
    Person("Nordkaj Logistik ApS", "regnskab@nordkaj.example", "+45 70 20 30 40", "Nordkajen 1", "København Ø", "2150", "Danmark"),
    Person("Kwame Mensah", "kwame.mensah@fjordmail.example", "", "", "Frederiksberg", "2000", "Danmark"),
    Person("Ingrid Solheim", "ingrid@solheim.example", "+47 22 12 34 56", "Karl Johans gate 9", "Oslo", "0154", "Norge"),
    Person("Sofia Álvarez Muñoz", "sofia.alvarez@correo.example", "+34 91 123 45 67", "Calle Mayor 8", "Madrid", "28013", "España"),
    Person("Tobias Frandsen", "tobias@frandsen.example", "+45 42 18 64 00", "Kirkestræde 5", "Køge", "4600", "dk"),
    Person("Wei Zhang", "wei.zhang@konsulent.example", "+45 50 38 72 11", "Sluseholmen 2", "København SV", "2450", "Denmark"),
    Person("Amélie Rousseau", "amelie.rousseau+klinik@atelier.example", "+33 6 99 11 22 33", "", "", "", "France"),
    Person("William Ashworth-Bell", "w.ashworth@brightwater.example", "+44 117 496 0123", "2 Harbourside", "Bristol", "BS1 5UH", "UK"),
    Person("Linnea Ek", "LINNEA.EK@POSTEN.EXAMPLE", "+46 40 123 456", "Kungsgatan 2", "Lund", "222 23", "Sweden"),
    Person("Rasmus Thorup", "rasmus.thorup@lund.example", "+45 29 87 65 43", "Algade 55", "Aalborg", "9000", "Danmark"),
)  # fmt: skip

STUDIO_SERVICES = (
    ServicePlan("portrait", "Séance portrait", 60, _D("120.75"), "fixedPrice", 3,
                "Une heure au studio.", questions=("company",)),
    ServicePlan("retouch", "Retouche à l'heure", 40, _D("48.20"), "hourly", 2,
                "En ligne.", online=True),
    ServicePlan("visit", "Visite du studio", 30, _D("0"), "free", 1, "Sans engagement."),
)  # fmt: skip

STUDIO_STAFF = (
    StaffPlan("louise", "Louise Garnier", "louise@studio-lumiere.example", "administrator"),
    StaffPlan("noe", "Noé Barbier", "noe@studio-lumiere.example", "teamMember"),
)

STUDIO_PEOPLE = (
    Person("Chloé Sauvage", "chloe.sauvage@atelier.example", "+33 1 99 00 12 34", "8 rue de l'Évêché", "Lyon", "69005", "France"),
    Person("Jules Perrin", "jules.perrin@courriel.example", "+33 4 78 00 11 22", "1 place Bellecour", "Lyon", "69002", "FR"),
    Person("Camille Fournier", "camille@fournier.example", "", "12 quai Saint-Vincent", "Lyon", "69001", "France"),
    Person("Théo Marchand", None, "+33 6 00 12 45 78"),
    Person("Élodie Chevalier", "elodie.chevalier@courriel.example", "+33 6 99 88 77 66", "", "Villeurbanne", "69100", "france"),
    Person("Bastien Roux", "b.roux@konsulent.example", "+41 22 700 00 00", "Rue du Rhône 2", "Genève", "1204", "Suisse"),
)  # fmt: skip

BUSINESSES = (
    BusinessPlan(
        "clinic", "HarbourStreetClinic@harbourclinic.example", "Harbour Street Clinic",
        "Health care", "Europe/Copenhagen", "Europe/Copenhagen", "en-GB", "+45 33 99 00 12",
        "https://www.harbourclinic.example",
        {"street": "Havnegade 2", "city": "København K", "state": "", "countryOrRegion": "Denmark",
         "postalCode": "1058"},
        CLINIC_SERVICES, CLINIC_STAFF, QUESTIONS, CLINIC_PEOPLE,
    ),
    BusinessPlan(
        "studio", "studio.lumiere@studio-lumiere.example", "Studio Lumière", "Photography",
        "Europe/Paris", "Romance Standard Time", "fr-FR", "+33 4 99 00 45 67",
        "https://www.studio-lumiere.example",
        {"street": "5 montée de la Grande-Côte", "city": "Lyon", "state": "",
         "countryOrRegion": "France", "postalCode": "69001"},
        STUDIO_SERVICES, STUDIO_STAFF, QUESTIONS[:1], STUDIO_PEOPLE,
    ),
)  # fmt: skip

# For customers beyond the ones above; every pair is one person.
FIRST_NAMES = (
    "Ada", "Bilal", "Cecilie", "Diego", "Elif", "Finn", "Giulia", "Hugo", "Ida", "Jonas", "Katarzyna", "Lars",
    "Mina", "Nils", "Olga", "Pavel", "Quinn", "Ravi", "Sanne", "Thea", "Ulrik", "Vera", "Wiktor", "Xenia",
    "Yusuf", "Zuzana", "Åse", "Émile", "Øystein", "Þóra", "Łukasz", "Özlem",
)  # fmt: skip
LAST_NAMES = (
    "Andersen", "Bianchi", "Christensen", "Dąbrowski", "Eriksson", "Fischer", "García", "Holm", "Ivanova",
    "Jensen", "Kowalski", "Larsen", "Müller", "Nielsen", "Olsen", "Petrov", "Quist", "Rossi", "Schmidt",
    "Thomsen", "Ulloa", "Vestergaard", "Winther", "Yilmaz", "Zimmermann", "Ørsted", "Bech", "Dahl", "Friis",
    "Hald", "Juhl", "Krogh", "Lund", "Munk", "Norup", "Overgaard", "Poulsen", "Riis", "Skov", "Toft",
)  # fmt: skip
TOWNS = (
    ("København Ø", "2100", "Danmark"), ("Odense C", "5000", "Denmark"), ("Malmö", "211 22", "Sverige"),
    ("Hamburg", "20095", "Deutschland"), ("Oslo", "0150", "Norge"), ("Esbjerg", "6700", "DK"),
)  # fmt: skip
STREETS = ("Skolegade", "Møllevej", "Kirkevej", "Parkallé", "Søndergade", "Ved Havnen", "Birkevej")
