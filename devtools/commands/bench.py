"""``./dev bench``: run the benchmarks in the environment's interpreter."""

import subprocess

from .. import databases
from ..environment import Environment
from ..paths import REPO


def main(args):
    """Run benchmarks.runner with these arguments."""
    env = Environment()
    databases.prune(env)
    command = [env.python, "-m", "benchmarks.runner", *args]
    return subprocess.run(command, cwd=REPO, stdin=subprocess.DEVNULL).returncode
