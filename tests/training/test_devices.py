"""More devices than this process has: a sweep in a process of its own, in which XLA is given four."""

import subprocess
import sys

SWEEPS = """
import jax
import numpy as np

jax.config.update("jax_num_cpu_devices", 4)
from jaxsurv.training import Plan
from tests.training.test_sweep import swept

for width in (1, 2):
    one, *others = (swept(Plan(devices, 2, width), seeds=(0, 1, 2)) for devices in (1, 2, 4))
    for other in others:
        jax.tree.map(np.testing.assert_array_equal, one, other)
print(jax.local_device_count())
"""


def test_four_devices_give_the_bits_of_one():
    done = subprocess.run([sys.executable, "-c", SWEEPS], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "4\n"), done.stderr
