"""Makes test/stored/peft: adapters of PEFT's methods on the tiny models, as PEFT writes them after five steps, with what they give."""

import argparse
import copy
import inspect
import json
import pathlib
import shutil
import tempfile
import warnings
import zlib

import peft
import torch
import transformers
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from common import DATA, TINY, exact, quiet, store, write_json
from peft_cases import CASES, LR

STEPS = 5
NOISE = 3e-6  # float64 must give the same losses up to this share, or the test's tolerance of 1e-5 would mean nothing
MERGED_TAIL = 2  # positions at the end of each row whose merged logits are stored
# Keys that say where a training begins or by whom it was written, and those whose text another writer may choose.
FREE = {"peft_version", "base_model_name_or_path", "inference_mode", "auto_mapping", "revision", "target_modules", "feedforward_modules",
        "rank_pattern", "alpha_pattern", "lambda_pattern", "n_frequency_pattern", "block_size_pattern", "init_lora_weights", "d_initial", "encoder_hidden_size"}
ALWAYS = {"peft_type", "task_type", "r", "lora_alpha", "num_virtual_tokens"}


def tiny(base):
    return AutoModelForCausalLM.from_pretrained(TINY / base, dtype=torch.float32, attn_implementation="eager").eval()


def data(base):
    """The stored batch of a base. No label in the first column, as nothing predicts it there; with a prompt in front something would."""
    stored = load_file(str(TINY / base / "reference.safetensors"))
    labels = stored["labels"].long()
    labels[:, 0] = -100
    return stored["input_ids"].long(), labels


def logits_of(model, ids):
    """Of the text's own positions: virtual tokens in front have logits too, which nobody compares."""
    model.eval()
    with torch.no_grad():
        return model(ids).logits[:, -ids.shape[1]:].clone()


def language_loss(logits, labels):
    return torch.nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten())


def train(case, model, ids, labels):
    """Trains in place. The losses before each step and after the last: the model's own, and those of the text alone."""
    optimizer = case.optimizer(model)
    whole, text = [], []
    for step in range(STEPS + 1):
        model.train()
        out = model(ids, labels=labels)
        whole.append(out.loss.item())
        shown = torch.nn.functional.pad(labels, (out.logits.shape[1] - labels.shape[1], 0), value=-100)
        text.append(language_loss(out.logits, shown).item())
        if step == STEPS:
            break
        out.loss.backward()
        optimizer.step()
        if case.after_step:
            case.after_step(model, step + 1)
        optimizer.zero_grad()
    return whole, text


def saved(model, folder, base):
    """PEFT's folder without its README, sets in one order. Returns the config and the tensors."""
    model.peft_config["default"].base_model_name_or_path = "test/stored/tiny/" + base
    model.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    path = folder / "adapter_config.json"
    config = json.loads(path.read_text())
    for key in ("target_modules", "feedforward_modules", "exclude_modules"):
        if isinstance(config.get(key), list):
            config[key] = sorted(config[key])
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    return config, load_file(str(folder / "adapter_model.safetensors"))


def that_matter(model, config):
    """What another writer's adapter_config.json must say too: type and size, and what differs from the class's defaults."""
    defaults = inspect.signature(type(model.peft_config["default"])).parameters
    matter = {}
    for key, value in config.items():
        usual = key in defaults and value == defaults[key].default or value in (None, "", [], {})
        if key not in FREE and (key in ALWAYS or not usual):
            matter[key] = value
    if "init_r" in matter:
        del matter["r"]  # AdaLoRA carries LoRA's rank along and never reads it
    return matter


def relative(found, expected):
    return ((found - expected).abs().max() / expected.abs().max()).item()


def largest_noise(case, start, ids, labels, losses):
    """The same training in float64: the largest relative distance of a loss."""
    precise = start.double()
    for module in precise.modules():  # OSF's, which change gradients and are not copied with a model
        if hasattr(module, "_attach_hooks"):
            module._attach_hooks("default")
    return max(abs(a - b) / abs(b) for a, b in zip(losses, train(case, precise, ids, labels)[0]))


def ranks_left(model):
    """AdaLoRA: how many directions of each layer are not zeroed."""
    return {n.replace(".lora_E.default", "").removeprefix("base_model.model."): int((p != 0).sum()) for n, p in model.named_parameters() if "lora_E" in n}


def make_adapter(case, folder, seed, values, about):
    ids, labels = data(case.base)
    plain = logits_of(tiny(case.base), ids)
    torch.manual_seed(seed)
    model = peft.get_peft_model(tiny(case.base), case.config())
    if case.prepare:
        case.prepare(model)
    about["trained"] = sum(p.numel() for p in model.parameters() if p.requires_grad)
    with tempfile.TemporaryDirectory() as scratch:
        first_config, first = saved(model, pathlib.Path(scratch), case.base)
    encoder = {n.split(".default.")[1]: p for n, p in model.named_parameters() if n.startswith("prompt_encoder.default.")}
    if len(encoder) > 1:  # more than the rows: what makes them is in no adapter's file
        store(folder / "encoder.safetensors", encoder)
    beginning, start = logits_of(model, ids), copy.deepcopy(model)
    assert case.start_is_base == (relative(beginning, plain) < 1e-5), relative(beginning, plain)
    left, after = [], case.after_step
    if after:
        case.after_step = lambda m, step: (after(m, step), left.append(ranks_left(m)))
    about["losses"], text = train(case, model, ids, labels)
    case.after_step = after
    if relative(torch.tensor(text), torch.tensor(about["losses"])) > 1e-6:
        about["text_losses"] = text
    if left:
        about["ranks_left"] = left
    config, last = saved(model, folder, case.base)
    about["keys"] = that_matter(model, config)
    if {k: v for k, v in first_config.items() if v != config[k]}:
        (folder / "start_config.json").write_text(json.dumps(first_config, indent=2, sort_keys=True) + "\n")
    # What training leaves alone stands in adapter_model.safetensors.
    moved = {n: t for n, t in first.items() if n not in last or t.shape != last[n].shape or not torch.equal(t, last[n])}
    store(folder / "start.safetensors", moved)
    values["logits"] = logits_of(model, ids)
    about["moved"] = relative(values["logits"], beginning)
    again = logits_of(peft.PeftModel.from_pretrained(tiny(case.base), folder), ids)
    assert relative(again, values["logits"]) < 1e-6, "PEFT itself reads its file as another model"
    about["noise"] = largest_noise(case, start, ids, labels, about["losses"])
    if not case.merges:
        return
    try:
        merged = model.merge_and_unload()
    except (ValueError, AttributeError, NotImplementedError):
        return  # a prompt, which no weight can hold
    values["merged_logits"] = logits_of(merged, ids)[:, -MERGED_TAIL:]
    assert relative(values["merged_logits"], values["logits"][:, -MERGED_TAIL:]) < 1e-5


def make_weights(case, values, about):
    """A method that moves weights of the base and that PEFT does not have, or whose files hold something else in PEFT."""
    ids, labels = data(case.base)
    if case.config:
        model = peft.get_peft_model(tiny(case.base), case.config())
    else:
        model = tiny(case.base)
        for name, p in model.named_parameters():
            p.requires_grad_(case.trains(name))
    about["trained"] = sum(p.numel() for p in model.parameters() if p.requires_grad)
    beginning, start = logits_of(model, ids), copy.deepcopy(model)
    about["losses"], _ = train(case, model, ids, labels)
    trained = case.normal(model) if case.normal else {n: p for n, p in model.named_parameters() if p.requires_grad}
    values |= {"final." + n: p for n, p in trained.items()}
    values["logits"] = logits_of(model, ids)
    about["moved"] = relative(values["logits"], beginning)
    about["noise"] = largest_noise(case, start, ids, labels, about["losses"])


def make(name, out):
    case, folder = CASES[name], out / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    values, about = {}, {"about": case.about, "base": case.base}
    if case.method:
        about["method"] = case.method
    about["adamw"] = {"lr": LR, "betas": [0.9, 0.999], "eps": 1e-8}
    seed = zlib.crc32(name.encode())  # of the name, so that a further case changes no other
    if case.config and not case.normal:
        make_adapter(case, folder, seed, values, about)
    else:
        make_weights(case, values, about)
    about["versions"] = {m.__name__: m.__version__.split("+")[0] for m in (torch, transformers, peft)}
    store(folder / "reference.safetensors", values)
    write_json(folder / "case.json", {k: exact(v) for k, v in about.items()})
    for file in folder.iterdir():
        file.chmod(0o644)  # safetensors writes for its owner alone
    size = sum(f.stat().st_size for f in folder.iterdir())
    print(f"{name:20} {case.base:13} {about['trained']:5} trained, {size / 1024:5.1f} KiB, moved {about['moved']:.1e}, noise {about['noise']:.1e}, "
          + "losses " + " ".join(f"{v:.5f}" for v in about["losses"]), flush=True)
    assert about["noise"] < NOISE, "rounding alone changes these losses too much to compare them"
    assert about["moved"] > 1e-3, "the training moves too little to be seen"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case", nargs="*", help="names of the table; none: those that are stored already")
    parser.add_argument("--out", default=str(DATA / "peft"), help="folder of the cases' folders")
    parser.add_argument("--all", action="store_true", help="every case of the table")
    parser.add_argument("--list", action="store_true", help="print the table's names")
    options = parser.parse_args()
    quiet()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore")
    out = pathlib.Path(options.out)
    if options.list:
        print("\n".join(f"{n:20} {c.base:13} {c.about}" for n, c in CASES.items()))
    else:
        for name in list(CASES) if options.all else options.case or [n for n in CASES if (out / n).is_dir()]:
            make(name, out)
