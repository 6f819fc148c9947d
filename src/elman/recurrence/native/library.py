"""The C++ of this folder, compiled for this processor the first time and kept in the cache after that.

It runs on the threads that torch has already: a second pool beside them would take turns with it.
"""

import ctypes
import functools
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from elman.text.cache import cache_folder

SOURCES = sorted(path for path in Path(__file__).parent.iterdir() if path.suffix in (".h", ".cpp"))
# -march=native: for this processor; no errno and no traps: vectors may compute what a lane does not use
FLAGS = ("-std=c++17", "-O3", "-march=native", "-fno-math-errno", "-fno-trapping-math", "-fopenmp", "-fPIC")
PRECISIONS = {torch.float32: "fp32", torch.bfloat16: "bf16"}
Library = ctypes.CDLL


class CannotCompileError(Exception):
    """There is no library, and why."""


@functools.cache
def load_library() -> Library:
    """Return the library, compiled now where it is not in the cache.

    Raises:
        CannotCompileError: no compiler, no OpenMP, or a compiler that refuses.
    """
    compiler = shutil.which(os.environ.get("CXX") or "c++") or shutil.which("g++")
    if compiler is None:
        raise CannotCompileError("no C++ compiler (c++) was found")
    threads = _torch_threads()
    path = cache_folder() / "native" / f"{_fingerprint(compiler, threads)}.so"
    if not path.exists():
        _compile(compiler, threads, path)
    return ctypes.CDLL(str(path))


def lanes() -> int:
    """Return how many numbers in fp32 a vector of this processor has."""
    return int(load_library().lanes())


def find_function(name: str, kind: torch.dtype) -> Any:
    """Return a function of the library, for numbers of a kind.

    Raises:
        RuntimeError: a precision that this processor has no products for.
    """
    try:
        return getattr(load_library(), f"{name}_{PRECISIONS[kind]}")
    except (AttributeError, KeyError):
        raise RuntimeError(f"this processor has no products of {kind} for the native recurrence") from None


def pointer(tensor: Tensor | None) -> ctypes.c_void_p:
    """Return where the numbers of a contiguous tensor are."""
    return ctypes.c_void_p(tensor.data_ptr() if tensor is not None else None)


def _torch_threads() -> str:
    """Return the file of the OpenMP library that torch runs on."""
    try:
        mapped = Path("/proc/self/maps").read_text()
    except OSError:
        raise CannotCompileError(f"torch's threads cannot be shared on {platform.system()}") from None
    for line in mapped.splitlines():
        if "omp" in Path(line.split()[-1]).name and ".so" in line:
            return line.split()[-1]
    raise CannotCompileError("torch runs without OpenMP here")


def _fingerprint(compiler: str, threads: str) -> str:
    """Name the library by all that it is made of: sources, compiler, flags, processor, threads."""
    version = subprocess.run([compiler, "--version"], capture_output=True, check=False).stdout
    parts = [path.read_bytes() for path in SOURCES]
    parts += [version, " ".join(FLAGS).encode(), torch.backends.cpu.get_cpu_capability().encode()]
    parts += [_processor().encode(), threads.encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


def _processor() -> str:
    """Return what a processor can do, as the system lists it."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line for line in lines if line.startswith(("flags", "Features"))), platform.machine())


def _compile(compiler: str, threads: str, path: Path) -> None:
    """Write the library beside its place, then move it there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        source, compiled = Path(__file__).parent / "native.cpp", f"{folder}/native.o"
        _run([compiler, *FLAGS, "-fvisibility=hidden", "-c", str(source), "-o", compiled])
        # linked without -fopenmp, which would bring the compiler's own threads
        _run([compiler, "-shared", compiled, threads, "-o", f"{folder}/native.so"])
        os.replace(f"{folder}/native.so", path)


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        first = next((line for line in done.stderr.splitlines() if "error" in line), done.stderr[:200])
        raise CannotCompileError(f"{command[0]} failed: {first.strip()}")
