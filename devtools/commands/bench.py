"""``./dev bench``: the benchmarks, in the environment's interpreter."""

import subprocess

from .. import databases
from ..environment import Environment
from ..paths import REPO


def main(args):
    """Run benchmarks.runner with the given words."""
    env = Environment()
    databases.prune(env)
    command = [env.python, "-m", "benchmarks.runner", *args]
    return subprocess.run(command, cwd=REPO, stdin=subprocess.DEVNULL).returncode
