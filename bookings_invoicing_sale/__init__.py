from . import models, wizards


def uninstall_hook(env):
    billed = env["bookings.billed.before"]
    billed._remember()
    billed._leave_to_orders()
