"""Memory stays with a process that trains: page faults, as the system counts them."""

import subprocess
import sys

import pytest

STEP = """
import resource, torch
{before}

def step():
    torch.ones(50_000_000)  # 200 MB, which glibc by itself gives back whatever was freed before

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

for _ in range(3):
    step()
start = faults()
for _ in range(10):
    step()
print((faults() - start) // 10)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc can be told to keep memory")
def test_what_a_step_frees_the_next_one_has() -> None:
    def count(before: str) -> int:
        script = STEP.format(before=before)
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        return int(done.stdout)

    kept, usual = count("from elman.training.memory import keep_memory; keep_memory()"), count("")
    assert kept < 10
    assert usual > 50  # of 2 MB, where pages are large
