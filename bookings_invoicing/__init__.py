from . import controllers
from . import models
from . import wizards


def uninstall_hook(env):
    env["bookings.billed.before"]._remember()
