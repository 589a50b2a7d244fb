#!/bin/bash
# PEFT 0.21.2: the gradient that a C3A layer hands back to its input is not the slope of its output.
#
# C3A adds block-circular convolutions, whose backward pass is written by hand (BlockCircularConvolution in
# peft/tuners/c3a/utils.py). torch.autograd.gradcheck in float64 accepts the gradient of the kernel and
# rejects the one of the input. A kernel of zeros (init_weights=True) hides it, as the gradient is zero
# then; the default start (xavier_uniform) does not, and layers below the adapter are trained by it. Seen:
#   kernel: the slope
#   input: not the slope
set -e
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" -q install peft==0.21.2 torch==2.15.0 transformers==5.24.0 safetensors==0.8.0
cat > "$folder/check.py" <<'PY'
import torch
from peft.tuners.c3a.utils import BlockCircularConvolution as Convolution

torch.manual_seed(0)
x = torch.randn(3, 8, dtype=torch.float64, requires_grad=True)
kernel = torch.randn(2, 2, 4, dtype=torch.float64, requires_grad=True)


def word(function, of):
    return "the slope" if torch.autograd.gradcheck(function, (of,), raise_exception=False) else "not the slope"


print("kernel:", word(lambda w: Convolution.apply(x.detach(), w), kernel))
print("input:", word(lambda v: Convolution.apply(v, kernel.detach()), x))
PY
"$folder/venv/bin/python" -W ignore "$folder/check.py" 2>/dev/null | tee "$folder/seen"
diff "$folder/seen" - <<'SEEN'
kernel: the slope
input: not the slope
SEEN
