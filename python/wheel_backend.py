"""Makes the wheel: a PEP 517 backend without dependencies. `make wheel` calls it, and so does
`pip wheel python/`.

    python3 wheel_backend.py FOLDER      writes FOLDER/heed-….whl and prints its name

HEED_BUILD names a CMake build folder; without it, build/release of this checkout is configured and
built. The wheel holds what `cmake --install` installs, as heed/bin, heed/include, heed/lib and
heed/share, with the libraries and fonts that tools/bundle.sh puts beside it (HEED_BUNDLE=no: those of the
system, which must then have them), and the data of the demo. It is for one minor version of torch and any
Python from 3.10.
"""

from __future__ import annotations

import base64
import hashlib
import os
import platform
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
DEMO = ["settings.toml", "train.tsv", "valid.tsv", "unseen.txt"]


def run(*command: object, **options: object) -> str:
    result = subprocess.run([str(part) for part in command], text=True, stdout=subprocess.PIPE,
                            check=False, **options)  # type: ignore[call-overload]
    if result.returncode != 0:
        sys.stderr.write(result.stdout)
        raise SystemExit(f"wheel: {' '.join(str(part) for part in command)} failed (see above)")
    return result.stdout


def build_folder() -> Path:
    if "HEED_BUILD" in os.environ:
        return Path(os.environ["HEED_BUILD"]).resolve()
    run("cmake", "--preset", "release", "--log-level=WARNING", cwd=ROOT)
    run("cmake", "--build", "--preset", "release", "-j", os.environ.get("JOBS", "2"),
        "--target", "heed", "heed_program", "heed_share", cwd=ROOT)
    return ROOT / "build" / "release"


def cached(build: Path, name: str) -> str:
    found = re.search(rf"^{name}:[A-Z]+=(.*)$", (build / "CMakeCache.txt").read_text(), re.M)
    if found is None:
        raise SystemExit(f"wheel: {build}/CMakeCache.txt says nothing of {name}; is it Heed's build?")
    return found.group(1)


def torch_version(torch: Path) -> str:
    found = re.search(r"^__version__ = '([0-9.]+)", (torch / "version.py").read_text(), re.M)
    if found is None:
        raise SystemExit(f"wheel: {torch}/version.py names no version")
    return found.group(1)


def install(build: Path, prefix: Path) -> None:
    """What the wheel holds of the build, with run paths that lead to the torch beside it."""
    run("cmake", "--install", build, "--prefix", prefix, "--strip")
    if os.environ.get("HEED_BUNDLE") != "no":
        run(ROOT / "tools" / "bundle.sh", build / "heed", prefix, "--no-torch")
    torch = cached(build, "HeedTorch_FOLDER")
    config = next(prefix.glob("lib*/**/heedConfig.cmake"))
    text = config.read_text().replace(f'"{torch}"', '"${CMAKE_CURRENT_LIST_DIR}/../../../../torch"')
    config.write_text(text)
    for binary, path in (
        (prefix / "lib" / "libheed.so", "$ORIGIN:$ORIGIN/../../torch/lib"),
        (prefix / "bin" / "heed", "$ORIGIN/../lib:$ORIGIN/../../torch/lib"),
    ):
        with tempfile.NamedTemporaryFile("w", suffix=".cmake") as script:
            script.write(f'file(RPATH_SET FILE "{binary}" NEW_RPATH [[{path}]])\n')
            script.flush()
            run("cmake", "-P", script.name)


def contents(prefix: Path, torch: str) -> dict[str, tuple[bytes, int]]:
    """Name in the wheel -> (bytes, mode)."""
    files = {}
    for folder, top, pattern in (
        (HERE / "heed", "heed", "**/*"),
        (prefix, "heed", "**/*"),
        (ROOT / "examples" / "sentiment", "heed/demo", "*"),
    ):
        for path in sorted(folder.glob(pattern)):
            if not path.is_file() or "__pycache__" in path.parts or path.suffix == ".pyc":
                continue
            if top == "heed/demo" and path.name not in DEMO:
                continue
            mode = 0o755 if os.access(path, os.X_OK) else 0o644
            files[f"{top}/{path.relative_to(folder)}"] = (path.read_bytes(), mode)
    files["heed_program.py"] = ((HERE / "heed_program.py").read_bytes(), 0o644)
    files["heed/_built_with.py"] = (f'"""Written by wheel_backend.py."""\n\nTORCH = "{torch}"\n'.encode(), 0o644)
    return files


def metadata(version: str, torch: str) -> str:
    major, minor = torch.split(".")[:2]
    return (
        "Metadata-Version: 2.1\n"
        "Name: heed\n"
        f"Version: {version}\n"
        "Summary: Fused attention, and the layers around it, on a CPU\n"
        "License: Apache-2.0\n"
        "Requires-Python: >=3.10\n"
        f"Requires-Dist: torch ~={major}.{minor}.0\n"
        "Requires-Dist: typing-extensions\n"
        "Description-Content-Type: text/markdown\n\n"
    ) + (ROOT / "README.md").read_text("utf-8")


def record_line(name: str, data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(data)}\n"


def build_wheel(wheel_directory: str, config_settings: object = None,
                metadata_directory: str | None = None) -> str:
    build = build_folder()
    project = (HERE / "pyproject.toml").read_text()
    version = re.search(r'^version = "(.*)"$', project, re.M).group(1)  # type: ignore[union-attr]
    torch = torch_version(Path(cached(build, "HeedTorch_FOLDER")))
    tag = f"py3-none-linux_{platform.machine()}"
    info = f"heed-{version}.dist-info"
    with tempfile.TemporaryDirectory() as folder:
        install(build, Path(folder))
        files = contents(Path(folder), torch)
    files[f"{info}/METADATA"] = (metadata(version, torch).encode(), 0o644)
    files[f"{info}/WHEEL"] = (f"Wheel-Version: 1.0\nGenerator: heed\nRoot-Is-Purelib: false\nTag: {tag}\n".encode(), 0o644)
    files[f"{info}/entry_points.txt"] = (b"[console_scripts]\nheed = heed_program:main\n", 0o644)
    files[f"{info}/LICENSE"] = ((ROOT / "LICENSE").read_bytes(), 0o644)
    record = "".join(record_line(name, data) for name, (data, _) in files.items())
    files[f"{info}/RECORD"] = ((record + f"{info}/RECORD,,\n").encode(), 0o644)
    name = f"heed-{version}-{tag}.whl"
    with zipfile.ZipFile(Path(wheel_directory) / name, "w", zipfile.ZIP_DEFLATED) as wheel:
        for path, (data, mode) in files.items():
            entry = zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0))  # the same bytes every time
            entry.external_attr = (0o100000 | mode) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            wheel.writestr(entry, data)
    return name


if __name__ == "__main__":
    os.makedirs(sys.argv[1], exist_ok=True)
    print(Path(sys.argv[1]) / build_wheel(sys.argv[1]))
