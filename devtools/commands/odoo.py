"""``./dev odoo``: run odoo-bin with the environment's configuration."""

import os

from .. import databases
from ..console import say
from ..environment import Environment
from ..paths import REPO

# Commands that create or manage databases themselves, or need none.
WITHOUT_DATABASE = {"db", "help", "scaffold", "genproxytoken", "deploy", "upgrade_code", "cloc"}


def main(args):
    """Replace this process with odoo-bin."""
    env = Environment()
    name = database_of(args)
    if name and args[0] not in WITHOUT_DATABASE and not databases.exists(env, name):
        if "--with-demo" in args:
            say(f"making the empty database {name}")
            databases.create_empty(env, name)
        else:
            say(f"making the database {name} from the template")
            databases.create(env, name)
    os.chdir(REPO)
    command = env.odoo(*args)
    os.execve(command[0], command, env.variables())


def database_of(args):
    """Return the name in -d or --database, or None."""
    for position, word in enumerate(args):
        if word in ("-d", "--database") and position + 1 < len(args):
            return args[position + 1]
        if word.startswith("--database="):
            return word.partition("=")[2]
        if word.startswith("-d") and not word.startswith("--") and len(word) > 2:
            return word[2:]
    return None
