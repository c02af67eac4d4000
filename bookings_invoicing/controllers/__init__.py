from . import health, oauth, who_came
