import copy
from contextlib import contextmanager, nullcontext
from unittest.mock import patch

from .. import graph
from ..models.sync.outbox_job import OutboxJob
from .connection_common import LiveCase

REFUSED = {"error": {"code": "ErrorInvalidRequest", "message": ""}}


class Killed(BaseException):
    """The process ends here."""


class OutboxCase(LiveCase):
    """A live connection that may write, and a tenant that is as it was before each test."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.app.login.permissions = graph.permissions(True)
        cls.live.sudo().may_write = True
        cls.sandboxed = cls.setup
        # only a sandbox connection keeps what was written, with a cursor of its own
        cls.startClassPatcher(patch.object(cls.tenant, "keep", lambda change: None))

    def setUp(self):
        super().setUp()
        self.outbox = self.env["bookings.outbox"]
        self.app.faults._script.clear()
        self.app.faults.journal.clear()
        mailbox = self.tenant.mailbox()  # the tests of a class share it
        facts = copy.deepcopy(self.facts(mailbox))
        self.addCleanup(vars(mailbox).update, facts)

    @staticmethod
    def facts(mailbox):
        """What a mailbox of the tenant holds that changes."""
        return {
            name: value
            for name, value in vars(mailbox).items()
            if isinstance(value, dict | set | list | int)
        }

    def send(self, commit=None):
        OutboxJob(self.setup._for_sync(), "cron", commit=commit).send()

    def writes(self, *methods):
        """``[(method, target)]`` of the requests that wrote to Bookings."""
        return [
            (method, target)
            for method, target in self.app.faults.journal
            if method in (methods or ("PATCH", "POST")) and "/bookingBusinesses/" in target
        ]

    def patches(self):
        return [target for _method, target in self.writes("PATCH")]

    @contextmanager
    def refusing(self, status=400, body=None, **fault):
        self.app.faults.add(
            {
                "match": "*/appointments/*",
                "method": "PATCH",
                "occurrence": "all",
                "status": status,
                "body": REFUSED if body is None else body,
                **fault,
            }
        )
        yield
        self.app.faults._script.clear()

    def killed_at(self, place):
        """Send and end before the commit or the answer of this number, without what was not committed.

        :returns: whether the work was done before
        """
        passed = []

        def pass_by(*_args):
            if len(passed) == place:
                raise Killed
            passed.append(True)

        answer = self.app.graph.answer
        kept = self.cr.savepoint()
        kept.__enter__()

        def commit(*_done):
            nonlocal kept
            pass_by()
            kept.close(rollback=False)
            kept = self.cr.savepoint()
            kept.__enter__()

        def answered(*args):
            reply = answer(*args)
            pass_by()
            return reply

        self.app.graph.answer = answered
        try:
            # the claim's cursor would take back with its own end what is committed here
            with patch.object(OutboxJob, "_claim", lambda _job: nullcontext(True)):
                self.send(commit)
            return True
        except Killed:
            return False
        finally:
            self.app.graph.answer = answer
            kept.close(rollback=True)
            self.env.invalidate_all()
