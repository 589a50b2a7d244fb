"""Makes test/stored/adamw8.safetensors: AdamW with moments in 8 bits, by bitsandbytes on a CPU.

Needs bitsandbytes 0.50.2 beside requirements.txt. first_map and second_map: the values that indices stand for. A weight of 601 elements
(`start`) makes three steps along `gradients` (3, 601), with options lr_beta1_beta2_eps_decay: `after` holds it after each step;
m_index, m_scale, v_index, v_scale its moments at the end. Gradients of a block are within a factor of 60, where the CPU's table
of bitsandbytes finds the nearest value nearly always.
"""

import torch
import bitsandbytes
import bitsandbytes.functional as bnb
from safetensors.torch import save_file

from common import DATA, quiet

quiet()
torch.manual_seed(5)
size, options = 601, [1e-2, 0.9, 0.99, 1e-8, 0.1]
start = torch.randn(size)
sign = torch.randint(0, 2, (3, size)) * 2.0 - 1
gradients = sign * torch.exp(torch.rand(3, size) * 4.1 - 5)
weight = torch.nn.Parameter(start.clone())
optimizer = bitsandbytes.optim.AdamW8bit([weight], lr=options[0], betas=options[1:3], eps=options[3], weight_decay=options[4], min_8bit_size=1)
after = []
for gradient in gradients:
    weight.grad = gradient.clone()
    optimizer.step()
    after.append(weight.detach().clone())
state = optimizer.state[weight]
save_file({
    "first_map": bnb.create_dynamic_map(signed=True), "second_map": bnb.create_dynamic_map(signed=False), "start": start, "gradients": gradients,
    "after": torch.stack(after), "lr_beta1_beta2_eps_decay": torch.tensor(options, dtype=torch.float64),
    "m_index": state["state1"].flatten(), "m_scale": state["absmax1"], "v_index": state["state2"].flatten(), "v_scale": state["absmax2"],
}, f"{DATA}/adamw8.safetensors")
