#!/usr/bin/env python3
"""Names the wheels that torch's CPU half still needs before a C++ program can run.

A CPU build of torch needs none. A CUDA build links libtorch_cpu.so against a few of CUDA's
run-time libraries (profiling, mostly); pip would fetch all of CUDA, several gigabytes, for them.
This asks ldd which libraries are missing and looks up in torch's own metadata which version of
which wheel holds each. Prints one pip requirement a line; nothing when nothing is missing.

usage: torch_runtime.py TORCH_FOLDER     (the folder that holds lib/libtorch_cpu.so)
"""

import os
import pathlib
import re
import subprocess
import sys

# Library: the extra of the wheel `cuda-toolkit` that stands for it, and its wheel's own name.
WHEELS = {
    "libcudart": ("cudart", "nvidia-cuda-runtime"),
    "libcupti": ("cupti", "nvidia-cuda-cupti"),
    "libcublas": ("cublas", "nvidia-cublas"),
    "libcublasLt": ("cublas", "nvidia-cublas"),
    "libcufft": ("cufft", "nvidia-cufft"),
    "libcufile": ("cufile", "nvidia-cufile"),
    "libcurand": ("curand", "nvidia-curand"),
    "libcusolver": ("cusolver", "nvidia-cusolver"),
    "libcusparse": ("cusparse", "nvidia-cusparse"),
    "libnvJitLink": ("nvjitlink", "nvidia-nvjitlink"),
    "libnvrtc": ("nvrtc", "nvidia-cuda-nvrtc"),
    "libnvToolsExt": ("nvtx", "nvidia-nvtx"),
    "libcudnn": (None, "nvidia-cudnn"),
    "libcusparseLt": (None, "nvidia-cusparselt"),
    "libnccl": (None, "nvidia-nccl"),
    "libnvshmem_host": (None, "nvidia-nvshmem"),
}


def missing_libraries(torch_folder):
    folders = [torch_folder / "lib", *torch_folder.parent.glob("nvidia/*/lib")]
    paths = [str(folder) for folder in folders] + [os.environ.get("LD_LIBRARY_PATH", "")]
    environment = dict(os.environ, LC_ALL="C", LD_LIBRARY_PATH=":".join(filter(None, paths)))
    library = torch_folder / "lib" / "libtorch_cpu.so"
    listing = subprocess.run(["ldd", str(library)], env=environment, check=True,
                             capture_output=True, text=True).stdout
    return sorted(set(re.findall(r"(\S+) => not found", listing)))


def torch_requirements(torch_folder):
    """The lines of `Requires-Dist` in torch's metadata, without their conditions."""
    for metadata in torch_folder.parent.glob("torch-*.dist-info/METADATA"):
        lines = re.findall(r"^Requires-Dist: ([^;\n]+)", metadata.read_text("utf-8"), re.MULTILINE)
        return [line.strip().replace(" (", "").replace(")", "") for line in lines]
    return []


def requirement_for(library, requirements):
    stem = library.split(".so")[0]
    if stem not in WHEELS:
        return None
    extra, wheel = WHEELS[stem]
    for requirement in requirements:  # nvidia-cuda-cupti-cu12==12.8.90
        if re.match(wheel + r"(-cu\d+)?[=<>~]", requirement):
            return requirement
    for requirement in requirements:  # cuda-toolkit[cublas,cudart,cupti]==13.2.2
        match = re.match(r"cuda-toolkit\[([^\]]*)\](.*)", requirement)
        if match and extra in match.group(1).split(","):
            return f"cuda-toolkit[{extra}]{match.group(2)}"
    return None


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    torch_folder = pathlib.Path(sys.argv[1]).resolve()
    requirements = torch_requirements(torch_folder)
    found, unknown = [], []
    for library in missing_libraries(torch_folder):
        requirement = requirement_for(library, requirements)
        (found if requirement else unknown).append(requirement or library)
    if unknown:
        sys.exit(f"torch_runtime.py: libtorch_cpu.so in {torch_folder} needs {', '.join(unknown)}, "
                 "and torch's metadata names no wheel that holds it; install it by hand")
    for requirement in sorted(set(found)):
        print(requirement)


if __name__ == "__main__":
    main()
