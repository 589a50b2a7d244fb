#!/bin/bash
# bitsandbytes 0.50.2: on a CPU, AdamW8bit moves weights with small gradients a quarter as far as AdamW does.
#
# The optimizer stores second moments in blocks of 256 as 8-bit indices into a map that reaches from 1 down to
# 3.25e-7 of the block's largest. The CPU's quantiser finds the index by a table of 65,536 steps over [-1, 1], so
# that everything from 0 to 1.5e-5 of the largest gets one index, that of 1.56e-5. One large gradient in a block
# is enough: beside a gradient of 1, those of 0.001 (second moment 1e-6 of the largest) get a second moment that
# is up to 16 times too large. With gradients that never change, each of 300 steps should move a weight by the
# learning rate. Seen (distance in learning rates):
#   AdamW: large gradients 300.0, small gradients 300.0
#   AdamW8bit: large gradients 300.0, small gradients 73.5
set -e
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" -q install bitsandbytes==0.50.2 torch==2.15.0
cat > "$folder/check.py" <<'PY'
import bitsandbytes
import torch

rate, steps = 1e-4, 300
gradient = torch.full((4096,), 1e-3)
gradient[::256] = 1.0
for kind in (torch.optim.AdamW, bitsandbytes.optim.AdamW8bit):
    weight = torch.nn.Parameter(torch.zeros(4096))
    optimizer = kind([weight], lr=rate, weight_decay=0)
    for _ in range(steps):
        weight.grad = gradient.clone()
        optimizer.step()
    moved = -weight.detach() / rate
    print(f"{kind.__name__}: large gradients {moved[0]:.1f}, small gradients {moved[1]:.1f}")
PY
"$folder/venv/bin/python" -W ignore "$folder/check.py" 2>/dev/null | tee "$folder/seen"
diff "$folder/seen" - <<'SEEN'
AdamW: large gradients 300.0, small gradients 300.0
AdamW8bit: large gradients 300.0, small gradients 73.5
SEEN
