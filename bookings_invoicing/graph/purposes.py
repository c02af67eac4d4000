"""The purpose of each property that is read from Graph records.

One rule applies to all records (see ``record.Record``): a record with an invalid NEEDED property is unreadable, because
a guess would bill the wrong person, amount, or date. Any other invalid property is treated as empty, because it must not
prevent billing an appointment.

Source: Graph v1.0 resource pages of the types named here.

>>> is_needed("Appointment", "price"), is_needed("Appointment", "lastUpdatedDateTime")
(True, False)
>>> is_needed("Appointment", "customers.emailAddress")
True
"""

NEEDED, OTHER = True, False

PURPOSES: dict[str, dict[str, tuple[bool, str]]] = {
    "Appointment": {
        "id": (NEEDED, "to know it again: nothing is billed twice"),
        "startDateTime": (NEEDED, "the day and the hours that are billed"),
        "start": (NEEDED, "the same, in beta spelling"),
        "endDateTime": (NEEDED, "when it may be billed, and the month"),
        "end": (NEEDED, "the same, in beta spelling"),
        "price": (NEEDED, "the amount"),
        "priceType": (NEEDED, "what the price means"),
        "serviceId": (NEEDED, "the product, its taxes and its rules"),
        "customers": (NEEDED, "who came, so who pays"),
        "customerId": (NEEDED, "who came, where customers is empty"),
        "customerName": (NEEDED, "who came, where customers is empty"),
        "customerEmailAddress": (NEEDED, "who came, where customers is empty"),
        "customerPhone": (OTHER, "the new contact, where customers is empty"),
        "customerLocation": (OTHER, "the new contact, where customers is empty"),
        "customerNotes": (OTHER, "for people to read"),
        "customerTimeZone": (OTHER, "for people to read"),
        "serviceName": (OTHER, "a name where serviceId is missing"),
        "staffMemberIds": (OTHER, "the text of the line"),
        "appointmentLabel": (OTHER, "label rules; without it none applies"),
        "serviceNotes": (OTHER, "for people to read"),
        "isLocationOnline": (OTHER, "for people to read"),
        "serviceLocation": (OTHER, "for people to read"),
        "joinWebUrl": (OTHER, "for people to read"),
        "onlineMeetingUrl": (OTHER, "the same, in beta spelling"),
        "createdDateTime": (OTHER, "for people to read"),
        "lastUpdatedDateTime": (OTHER, "which of two equal ids is newer"),
        "maximumAttendeesCount": (OTHER, "for people to read"),
        "filledAttendeesCount": (OTHER, "for people to read"),
    },
    "Attendee": {
        "customerId": (NEEDED, "who came"),
        "name": (NEEDED, "who came"),
        "emailAddress": (NEEDED, "who came"),
        "phone": (OTHER, "the new contact"),
        "location": (OTHER, "the new contact"),
        "notes": (OTHER, "for people to read"),
        "timeZone": (OTHER, "for people to read"),
        "customQuestionAnswers": (OTHER, "proposals for the contact"),
    },
    "Answer": {
        "questionId": (OTHER, "which rule it meets"),
        "question": (OTHER, "which rule it meets"),
        "answer": (OTHER, "what is proposed"),
    },
    "Address": {
        "street": (OTHER, "the new contact"),
        "city": (OTHER, "the new contact"),
        "state": (OTHER, "the new contact"),
        "postalCode": (OTHER, "the new contact"),
        "countryOrRegion": (OTHER, "the new contact"),
    },
    "Business": {
        "id": (NEEDED, "which business is read"),
        "displayName": (OTHER, "the name of a new setup"),
        "defaultCurrencyIso": (OTHER, "the currency; the setup keeps what it knows"),
        "bookingPageSettings": (OTHER, "the time zone; the setup keeps what it knows"),
        "languageTag": (OTHER, "the language of new contacts"),
        "email": (OTHER, "for people to read"),
        "phone": (OTHER, "for people to read"),
        "publicUrl": (OTHER, "for people to read"),
    },
    "Service": {
        "id": (NEEDED, "to know it again: the product belongs to it"),
        "defaultPrice": (NEEDED, "the price of the product made for it"),
        "defaultPriceType": (NEEDED, "what the price means"),
        "displayName": (OTHER, "the name of the product made for it"),
        "defaultDuration": (OTHER, "for people to read"),
        "description": (OTHER, "for people to read"),
        "maximumAttendeesCount": (OTHER, "for people to read"),
        "staffMemberIds": (OTHER, "for people to read"),
    },
    "StaffMember": {
        "id": (NEEDED, "to know them again"),
        "displayName": (OTHER, "the text of the line"),
        "emailAddress": (OTHER, "for people to read"),
        "role": (OTHER, "for people to read"),
    },
    "Customer": {
        "id": (NEEDED, "to know them again"),
        "displayName": (NEEDED, "whose contact it is"),
        "emailAddress": (NEEDED, "whose contact it is"),
        "phones": (OTHER, "the new contact"),
        "addresses": (OTHER, "the new contact"),
    },
    "Question": {
        "id": (NEEDED, "which rule it meets"),
        "displayName": (OTHER, "for people to choose by"),
        "answerInputType": (OTHER, "for people to read"),
        "answerOptions": (OTHER, "for people to read"),
    },
}


def is_needed(kind: str, field: str) -> bool:
    """Return whether a record of this class is unreadable if ``field`` is invalid. Of nested properties, such as
    ``customers.name``, the outer one decides.
    """
    return PURPOSES[kind].get(field.partition(".")[0], (NEEDED, ""))[0]
