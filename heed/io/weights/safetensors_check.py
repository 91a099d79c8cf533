"""Reads a safetensors file with the official package and writes it again with the same package.

usage: safetensors_check.py OURS THEIRS. Fails if the package refuses OURS.
"""

import ctypes
import sys

from safetensors import TensorSpec, deserialize, safe_open, serialize_file

# What the package calls the dtypes of a file when it writes one.
NAMES = {
    "BOOL": "bool", "U8": "uint8", "I8": "int8", "F8_E5M2": "float8_e5m2",
    "F8_E4M3": "float8_e4m3fn", "I16": "int16", "U16": "uint16", "F16": "float16",
    "BF16": "bfloat16", "I32": "int32", "U32": "uint32", "F32": "float32", "F64": "float64",
    "I64": "int64", "U64": "uint64",
}


def main():
    ours, theirs = sys.argv[1:]
    with safe_open(ours, framework="numpy") as opened:
        metadata = opened.metadata()
        names = set(opened.keys())
    with open(ours, "rb") as file:
        tensors = dict(deserialize(file.read()))
    assert names == set(tensors), (names, set(tensors))
    buffers = {name: ctypes.create_string_buffer(bytes(tensor["data"]), len(tensor["data"]) or 1)
               for name, tensor in tensors.items()}
    specs = {
        name: TensorSpec(dtype=NAMES[tensor["dtype"]], shape=tensor["shape"],
                         data_ptr=ctypes.addressof(buffers[name]), data_len=len(tensor["data"]))
        for name, tensor in tensors.items()
    }
    serialize_file(specs, theirs, metadata=metadata)


main()
