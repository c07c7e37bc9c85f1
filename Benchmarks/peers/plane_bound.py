"""plane_bound.py FILE.safetensors: the least, of raw, that coding each plane of bytes by its own frequencies can give.

The planes are those of each tensor; a coder that sees smaller pieces may come a little below.
"""
import json, struct, sys

import numpy as np

WIDTH = {"F64": 8, "I64": 8, "F32": 4, "I32": 4, "BF16": 2, "F16": 2}
raw = np.fromfile(sys.argv[1], np.uint8)
length = struct.unpack("<Q", raw[:8].tobytes())[0]
bits, total = 8.0 * (8 + length), 8 + length
for name, tensor in json.loads(raw[8:8 + length].tobytes()).items():
    if name != "__metadata__":
        a, b = (8 + length + at for at in tensor["data_offsets"])
        width = WIDTH.get(tensor["dtype"], 1)
        for plane in range(width):
            p = np.bincount(raw[a + plane:b:width], minlength=256) / max(1, (b - a) // width)
            p = p[p > 0]
            bits += -(p * np.log2(p)).sum() * ((b - a) // width)
        total += b - a
print(json.dumps({"bound": bits / 8 / total}))
