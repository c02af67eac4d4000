"""A client for the Bookings part of Microsoft Graph. It does not depend on Odoo.

>>> transport = Transport(CLOUDS["global"])
>>> tokens = token_source(transport.cloud, transport, ClientSecret("tenant", "client", "secret"))
>>> client = BookingsClient(transport, tokens)  # for page in client.calendar_view(...): ...
"""

from .auth import (
    Certificate,
    ClientSecret,
    Delegated,
    DelegatedTokens,
    SignIn,
    TokenSource,
    begin_sign_in,
    finish_sign_in,
    permissions,
    token_source,
)
from .batch import ITEMS as BATCH_ITEMS
from .certificate import pem_of_file, plain_pem
from .checks import STEPS, Check
from .client import BookingsClient
from .clouds import CLOUDS, Cloud, cloud_of
from .directory_writing import DirectoryWriter, values_of
from .errors import (
    AccessDenied,
    AuthError,
    ConfigurationError,
    GraphError,
    NotFound,
    ProtocolError,
    RangeTooLarge,
    RecordError,
    SecurityError,
    ThrottledError,
    TransientError,
)
from .malformed import Malformed
from .page import Page
from .records import (
    PRICE_TYPES,
    Address,
    Answer,
    Appointment,
    Attendee,
    Business,
    Customer,
    Question,
    Service,
    StaffMember,
)
from .sentences import PROBLEMS, SENTENCES, say, say_again, say_problem
from .transport import Reply, Transport
from .writing import MAY_WRITE, ServiceNotes
