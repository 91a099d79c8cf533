"""What the tables of the benchmarks say of the machine."""

import pathlib


def cpu_name():
    """As heed_bench_attention names it: "AMD EPYC (family 25)"."""
    found = {}
    try:
        for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
            key, _, value = line.partition(":")
            found.setdefault(key.strip(), value.strip())
    except OSError:
        pass
    model, family = found.get("model name"), found.get("cpu family")
    return f"{model} (family {family})" if model and family else model or "unknown"
