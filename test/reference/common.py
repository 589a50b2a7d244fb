"""What the oracle scripts share: paths, fixed sample positions, storing tensors and numbers so that a test can read them."""

import json
import os
import pathlib

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import numpy as np
import torch
from safetensors.torch import save_file

DATA = pathlib.Path(__file__).resolve().parents[1] / "stored"
TINY = DATA / "tiny"
SAMPLES = 251  # values kept of a tensor in a sampled store; prime, so that the positions walk through rows and columns alike


def quiet():
    """No progress bars and no advice on the terminal; two threads as the tests have."""
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    torch.set_num_threads(2)


def positions(size, count=SAMPLES):
    """Positions in the flattened row-major tensor: i * size // n for i in 0..n-1, n = min(size, count). All of a small tensor."""
    n = min(size, count)
    return [i * size // n for i in range(n)]


def sampled(tensor, count=SAMPLES):
    flat = tensor.detach().reshape(-1)
    return flat[torch.tensor(positions(flat.numel(), count))].float().clone()


def samples_of(prefix, named):
    """{prefix.NAME: samples, prefix_norm.NAME: L2 norm of the whole} of named tensors."""
    out = {}
    for name, t in named:
        out[f"{prefix}.{name}"] = sampled(t)
        out[f"{prefix}_norm.{name}"] = t.detach().double().norm().reshape(1)
    return out


def store(path, tensors, **metadata):
    """A safetensors file of f32 and i32 tensors, names sorted; metadata as one JSON text under "about"."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = {}
    for name in sorted(tensors):
        t = torch.as_tensor(tensors[name]).detach()
        t = t.float() if t.is_floating_point() else t.to(torch.int32)
        kept[name] = t.contiguous().clone()
    save_file(kept, str(path), metadata={"about": json.dumps(metadata)} if metadata else None)


def exact(x):
    """A number that reads back as the same f32: the shortest decimal of that f32, as a float."""
    if isinstance(x, (list, tuple)):
        return [exact(v) for v in x]
    if isinstance(x, torch.Tensor):
        return exact(x.detach().tolist())
    return float(str(np.float32(x))) if isinstance(x, (float, np.floating)) else x


def write_json(path, value, indent=1):
    """JSON with short lists on one line, so that it stays small and readable."""
    text = json.dumps(value, indent=indent)
    out, depth = [], 0
    for line in text.split("\n"):  # joins the innermost lists of numbers
        stripped = line.strip()
        number = stripped.rstrip(",").lstrip("-")[:1].isdigit()
        if depth and (number or stripped.startswith("]")):
            out[-1] += stripped + (" " if number and stripped.endswith(",") else "")
            depth = 0 if stripped.startswith("]") else depth
        else:
            out.append(line)
            depth = 1 if stripped.endswith("[") else 0
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(out) + "\n")
