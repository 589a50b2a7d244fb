"""Reads logits that afina wrote and compares them with a library's; shared by the scripts that open our files."""

import json
import pathlib

import torch
from safetensors.torch import load_file


def add_options(parser):
    parser.add_argument("--ours", required=True, help=".json or .safetensors with input_ids (B, T) or (T) and logits (B, T, vocabulary) or (T, vocabulary)")
    parser.add_argument("--ids-name", default="input_ids", help="the name of the ids in that file")
    parser.add_argument("--logits-name", default="logits", help="the name of the logits in that file")
    parser.add_argument("--tolerance", type=float, default=1e-4, help="largest difference allowed, relative to the largest logit")
    parser.add_argument("--out", help="where to store the library's logits (.safetensors)")


def read_ours(options):
    path = pathlib.Path(options.ours)
    if path.suffix == ".json":
        content = json.loads(path.read_text())
        ids, logits = torch.tensor(content[options.ids_name]), torch.tensor(content[options.logits_name], dtype=torch.float32)
    else:
        content = load_file(str(path))
        ids, logits = content[options.ids_name], content[options.logits_name].float()
    if logits.ndim == 2:
        logits = logits[None]
    ids = ids.long()
    if ids.ndim == 1:
        ids = ids[None]
    if ids.ndim == 3:  # a batch a step: the first
        ids = ids[0]
    fits = logits.shape[0] == ids.shape[0] and logits.shape[1] >= ids.shape[1]  # more: of virtual tokens in front
    assert fits, f"{path}: logits {tuple(logits.shape)} do not fit ids {tuple(ids.shape)}"
    return ids, logits


def judge(what, ours, theirs, tolerance):
    """Prints the largest difference; true when it is within the tolerance."""
    assert ours.shape == theirs.shape, f"{what}: ours {tuple(ours.shape)}, theirs {tuple(theirs.shape)}"
    difference = (ours.double() - theirs.double()).abs().max().item()
    relative = difference / theirs.abs().max().item()
    same = (ours.argmax(-1) == theirs.argmax(-1)).double().mean().item()
    good = bool(torch.isfinite(ours).all()) and relative <= tolerance
    print(f"{what}: largest difference {difference:.3e}, relative {relative:.3e}, same argmax {100 * same:.2f} % -> {'agrees' if good else 'DIFFERS'}")
    return good
