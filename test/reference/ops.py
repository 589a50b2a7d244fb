"""Makes test/stored/ops.safetensors: values and gradients of the single operations, computed by PyTorch in float64."""

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from transformers.models.llama.modeling_llama import apply_rotary_pos_emb

from common import DATA

OUT = {}
generator = torch.Generator().manual_seed(11)


def given(*shape, spread=1.0):
    """Random f64 that are f32 numbers too, so that one input serves both precisions."""
    return (spread * torch.randn(*shape, generator=generator, dtype=torch.float32)).double().requires_grad_()


def case(name, inputs, y, **constants):
    """Stores NAME.INPUT, NAME.y, a random NAME.dy, and NAME.dINPUT of every input that has a gradient."""
    dy = given(*y.shape).detach()
    tracked = {k: v for k, v in inputs.items() if v.requires_grad}
    gradients = torch.autograd.grad(y, list(tracked.values()), dy)
    parts = {**inputs, **constants, "y": y, "dy": dy, **{"d" + k: g for k, g in zip(tracked, gradients)}}
    OUT.update({f"{name}.{k}": v for k, v in parts.items()})


def i32(values):
    return torch.tensor(values, dtype=torch.int32)


def number(value):
    return torch.tensor([value], dtype=torch.float64)


def norms():
    x, weight, bias = given(2, 5, 19, spread=2.0), given(19), given(19)
    x.data[1, 4] *= 1e-3  # a row in which eps counts
    x.data[0, 0] += 100  # a row whose mean is much larger than its spread
    case("rmsnorm", {"x": x, "weight": weight}, F.rms_norm(x, (19,), weight, 1e-5), eps=number(1e-5))
    case("layernorm", {"x": x, "weight": weight, "bias": bias}, F.layer_norm(x, (19,), weight, bias, 1e-5), eps=number(1e-5))


def scalars():
    grid = torch.cat([torch.linspace(-12, 12, 97), torch.tensor([-90.0, -40.0, -20.0, -1e-3, -1e-6, 1e-6, 1e-3, 20.0, 40.0, 88.0])])
    grid = torch.nan_to_num(grid).float().double()
    functions = {"silu": F.silu, "gelu": F.gelu, "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"), "sigmoid": torch.sigmoid, "tanh": torch.tanh,
                 "exp": torch.exp, "erf": torch.erf}
    for name, function in functions.items():
        x = grid.clone().requires_grad_()
        case(name, {"x": x}, function(x))
    x = torch.cat([torch.logspace(-30, 30, 61), torch.linspace(0.9, 1.1, 21)]).float().double().requires_grad_()
    case("log", {"x": x}, torch.log(x))
    gate, up = given(3, 4, 13, spread=3.0), given(3, 4, 13)
    case("swiglu", {"gate": gate, "up": up}, F.silu(gate) * up)


def rope():
    dim, positions = 10, i32([[0, 1, 2, 0, 1], [7, 8, 9, 10, 63]])
    angle = torch.arange(64, dtype=torch.float64)[:, None] / 10000.0 ** (torch.arange(0, dim, 2, dtype=torch.float64) / dim)
    x = given(2, 5, 3, dim)
    at = torch.cat([angle, angle], -1)[positions.long()]
    y, _ = apply_rotary_pos_emb(x.transpose(1, 2), x.transpose(1, 2), at.cos(), at.sin())
    case("rope", {"x": x}, y.transpose(1, 2), positions=positions, table=torch.cat([angle.cos(), angle.sin()], -1), theta=number(10000.0))


def attend(q, k, v, starts, scale):
    """Query t stands at position S - T + t and sees the positions from its start to its own."""
    rows, keys, groups = q.shape[1], k.shape[1], q.shape[2] // k.shape[2]
    at = torch.arange(keys - rows, keys)
    seen = (torch.arange(keys)[None, None] <= at[None, :, None]) & (torch.arange(keys)[None, None] >= starts[:, :, None])
    k, v = (t.repeat_interleave(groups, 2).transpose(1, 2) for t in (k, v))
    scores = (q.transpose(1, 2) @ k.transpose(2, 3) * scale).masked_fill(~seen[:, None], -torch.inf)
    y = F.scaled_dot_product_attention(q.transpose(1, 2), k, v, attn_mask=seen[:, None], scale=scale).transpose(1, 2)
    return y, scores.logsumexp(-1).transpose(1, 2)


def attention():
    q, k, v = given(2, 9, 6, 8), given(2, 9, 2, 8), given(2, 9, 2, 8)
    documents = i32([[0] * 9, [0, 0, 0, 3, 4, 4, 4, 4, 4]])  # the second row: three documents, one of them a single token
    for name, starts, scale in (("attention", i32([[0] * 9] * 2), 8**-0.5), ("attention_documents", documents, 0.7)):
        y, lse = attend(q, k, v, starts, scale)
        case(name, {"q": q, "k": k, "v": v}, y, starts=starts, scale=number(scale), lse=lse)
    k, v, starts = given(2, 12, 3, 8), given(2, 12, 3, 8), i32([[0, 0, 0], [2, 10, 10]])
    q = given(2, 3, 3, 8)
    y, lse = attend(q, k, v, starts, 8**-0.5)
    case("attention_cached", {"q": q, "k": k, "v": v}, y, starts=starts, scale=number(8**-0.5), lse=lse)


def head():
    x, weight = given(2, 5, 11), given(23, 11)
    targets = i32([[3, -1, 22, 0, 7], [-1, -1, 7, 7, -1]])
    each = F.cross_entropy((x @ weight.T).reshape(10, 23), targets.reshape(-1).long(), ignore_index=-1, reduction="none")
    total = each.sum() * (1 / 6)
    dx, dweight = torch.autograd.grad(total, [x, weight])
    OUT.update({"cross_entropy." + k: v for k, v in {"x": x, "weight": weight, "targets": targets, "losses": each, "total": total.reshape(1),
                                                      "scale": number(1 / 6), "dx": dx, "dweight": dweight}.items()})
    table, ids = given(7, 5), i32([[1, 6, 1], [0, 1, 6]])
    case("embedding", {"table": table}, F.embedding(ids.long(), table), ids=ids)
    x, weight, bias = given(2, 3, 7), given(5, 7), given(5)
    case("linear", {"x": x, "weight": weight, "bias": bias}, F.linear(x, weight, bias))


def adamw():
    """Three steps on one matrix, decay 0.1, with the gradients given."""
    w = given(4, 6)
    OUT["adamw.start"] = w.detach().clone()
    optimizer = torch.optim.AdamW([w], lr=0.03, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1)
    gradients, after = [], []
    for scale in (1.0, 1e-4, 3.0):
        w.grad = given(4, 6, spread=scale).detach()
        gradients.append(w.grad.clone())
        optimizer.step()
        after.append(w.detach().clone())
    OUT.update({"adamw.gradients": torch.stack(gradients), "adamw.after": torch.stack(after), "adamw.m": optimizer.state[w]["exp_avg"],
                "adamw.v": optimizer.state[w]["exp_avg_sq"],
                "adamw.lr_beta1_beta2_eps_decay": torch.tensor([0.03, 0.9, 0.95, 1e-8, 0.1], dtype=torch.float64)})


if __name__ == "__main__":
    for make in (norms, scalars, rope, attention, head, adamw):
        make()
    assert all(v.dtype == torch.int32 or (v.dtype == torch.float64 and bool(torch.isfinite(v).all())) for v in OUT.values())
    save_file({k: v.detach().contiguous().clone() for k, v in sorted(OUT.items())}, str(DATA / "ops.safetensors"))
    print(f"{len(OUT)} tensors, {sum(v.nbytes for v in OUT.values())} bytes")
