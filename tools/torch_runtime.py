#!/usr/bin/env python3
"""Names the wheels that torch's CPU half still needs before a C++ program can run.

A CPU build of torch needs none. A CUDA build links libtorch_cpu.so against a few of CUDA's
run-time libraries (profiling, mostly); pip would fetch all of CUDA, several gigabytes, for them.
This asks ldd which libraries are missing, and prints the entries of a lock file for the wheels that
hold them; nothing when nothing is missing.

usage: torch_runtime.py TORCH_FOLDER LOCK     (lib/libtorch_cpu.so in it; tools/lock/cuda.txt)
"""

import os
import pathlib
import re
import subprocess
import sys

# Library: the wheel that holds it; in the lock its name may have a version of CUDA behind it.
WHEELS = {
    "libcudart": "nvidia-cuda-runtime",
    "libcupti": "nvidia-cuda-cupti",
    "libcublas": "nvidia-cublas",
    "libcublasLt": "nvidia-cublas",
    "libcufft": "nvidia-cufft",
    "libcufile": "nvidia-cufile",
    "libcurand": "nvidia-curand",
    "libcusolver": "nvidia-cusolver",
    "libcusparse": "nvidia-cusparse",
    "libnvJitLink": "nvidia-nvjitlink",
    "libnvrtc": "nvidia-cuda-nvrtc",
    "libnvToolsExt": "nvidia-nvtx",
    "libcudnn": "nvidia-cudnn",
    "libcusparseLt": "nvidia-cusparselt",
    "libnccl": "nvidia-nccl",
    "libnvshmem_host": "nvidia-nvshmem",
}


def missing_libraries(torch_folder):
    folders = [torch_folder / "lib", *torch_folder.parent.glob("nvidia/*/lib")]
    paths = [str(folder) for folder in folders] + [os.environ.get("LD_LIBRARY_PATH", "")]
    environment = dict(os.environ, LC_ALL="C", LD_LIBRARY_PATH=":".join(filter(None, paths)))
    library = torch_folder / "lib" / "libtorch_cpu.so"
    listing = subprocess.run(["ldd", str(library)], env=environment, check=True,
                             capture_output=True, text=True).stdout
    return sorted(set(re.findall(r"(\S+) => not found", listing)))


def locked(library, lock):
    """The lock's entry, with its hashes, for the wheel that holds the library."""
    wheel = WHEELS.get(library.split(".so")[0])
    match = wheel and re.search(rf"^{wheel}(-cu\d+)?==.*(\n\s+--hash=.*)*", lock, re.MULTILINE)
    return match.group() if match else None


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    torch_folder = pathlib.Path(sys.argv[1]).resolve()
    lock = pathlib.Path(sys.argv[2]).read_text("utf-8")
    entries = {library: locked(library, lock) for library in missing_libraries(torch_folder)}
    unknown = [library for library, entry in entries.items() if not entry]
    if unknown:
        sys.exit(f"torch_runtime.py: libtorch_cpu.so in {torch_folder} needs {', '.join(unknown)}, "
                 f"and {sys.argv[2]} has no wheel that is known to hold it; install it by hand")
    for entry in sorted(set(entries.values())):
        print(entry)


if __name__ == "__main__":
    main()
