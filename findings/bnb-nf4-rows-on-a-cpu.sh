#!/bin/bash
# bitsandbytes 0.50.2: on a CPU, 4-bit matrices whose rows are no multiple of 64 come back with other blocks' scales.
#
# quantize_4bit takes a tensor flat, in blocks of 64 numbers that go on from one row into the next, each with a
# scale of its own. dequantize_4bit on the CPU begins anew with every row. Where a row has 96 columns most numbers
# are multiplied by the scale of another block: the error is more than twice that of the same numbers as one row, and
# Linear4bit computes with such weights. No error and no warning. Seen on a processor with AVX-512 (relative error
# of the weights):
#   64 x 64: 0.092, the same numbers in one row: 0.092
#   64 x 96: 0.216, the same numbers in one row: 0.093
#   64 x 160: 0.230, the same numbers in one row: 0.092
set -e
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" -q install bitsandbytes==0.50.2 torch==2.15.0
cat > "$folder/check.py" <<'PY'
import torch
from bitsandbytes.functional import dequantize_4bit, quantize_4bit


def error(weight):
    again = dequantize_4bit(*quantize_4bit(weight, quant_type="nf4"))
    return (again - weight).norm() / weight.norm()


for columns in (64, 96, 160):
    weight = torch.randn(64, columns, generator=torch.Generator().manual_seed(columns))
    print(f"64 x {columns}: {error(weight):.3f}, the same numbers in one row: {error(weight.reshape(1, -1)):.3f}")
PY
"$folder/venv/bin/python" -W ignore "$folder/check.py" 2>/dev/null | tee "$folder/seen"
diff "$folder/seen" - <<'SEEN'
64 x 64: 0.092, the same numbers in one row: 0.092
64 x 96: 0.216, the same numbers in one row: 0.093
64 x 160: 0.230, the same numbers in one row: 0.092
SEEN
