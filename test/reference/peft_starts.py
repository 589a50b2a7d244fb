"""Makes test/stored/peft_starts: starts of LoRA that look at data, as PEFT finds them, and the losses of the steps that follow."""

import copy
import shutil
import zlib
from dataclasses import dataclass

import peft
import torch
import transformers
from peft.tuners.lora.corda import preprocess_corda
from peft.tuners.lora.eva import initialize_lora_eva_weights
from peft.tuners.lora.loraga import preprocess_loraga

from common import DATA, exact, quiet, store, write_json
from peft_cases import LR, Case, lora
from peft_methods import data, logits_of, relative, tiny, train


def exact_svd(a, q=6, niter=2, M=None):
    """In place of torch.svd_lowrank, which draws random numbers and is an approximation: what it approximates. Signs as in engine/svd.h, since LoRA-GA
    pairs vectors of different singular values, and how training goes on depends on both signs."""
    u, s, vt = torch.linalg.svd(a.double(), full_matrices=False)
    signs = u.gather(0, u.abs().argmax(0, keepdim=True)).sign()
    u, vt = u * signs, vt * signs.T
    return u[:, :q].to(a.dtype), s[:q].to(a.dtype), vt[:q].T.to(a.dtype)


def shown(ids):
    """One call with both rows; the last token of a row predicts nothing and is not looked at."""
    labels = ids.clone()
    labels[:, -1] = -100
    return [{"input_ids": ids, "labels": labels}]


def with_eva(base, ids, options):
    model = peft.get_peft_model(base, lora(**options, init_lora_weights="eva", eva_config=peft.EvaConfig(rho=1.0))())
    initialize_lora_eva_weights(model, shown(ids), show_progress_bar=False)
    return model


def with_lora_ga(base, ids, options, **how):
    config = lora(**options, init_lora_weights="lora_ga", lora_ga_config=peft.LoraGAConfig(**how))()
    preprocess_loraga(base, config, lambda: base(ids, labels=ids).loss.backward())
    return peft.get_peft_model(base, config)


def with_corda(base, ids, options, method):
    config = lora(**options, init_lora_weights="corda", corda_config=peft.tuners.lora.config.CordaConfig(corda_method=method))()

    def run():
        for row in ids:
            base(row[None, :-1])

    preprocess_corda(base, config, run_model=run)
    return peft.get_peft_model(base, config)


RANK8 = {"r": 8, "lora_alpha": 16}
CASES = {
    "eva": ("llama", with_eva, RANK8, {}, "start=eva"),
    "lora_ga": ("llama", with_lora_ga, RANK8, {}, "start=lora-ga"),
    "lora_ga_scale": ("qwen2", with_lora_ga, {"r": 4, "lora_alpha": 8, "use_rslora": True}, {"direction": "A2rBr", "scale": "weight_svd"},
                      "rslora=true,start=lora-ga,ga_direction=A2rBr,ga_scale=weight_svd"),
    "lora_ga_alternating": ("llama", with_lora_ga, {"r": 4, "lora_alpha": 8, "rank_pattern": {"v_proj": 2}}, {"direction": "ArBr", "scale": "gd_scale"},
                            "ranks=v_proj:2,start=lora-ga,ga_direction=ArBr,ga_scale=gd_scale"),
    "corda": ("llama", with_corda, {"r": 4, "lora_alpha": 8}, {"method": "ipm"}, "start=corda"),
    "corda_kpm": ("qwen2", with_corda, {"r": 4, "lora_alpha": 8}, {"method": "kpm"}, "start=corda,corda=kpm"),
}


def make(name, out):
    base, begin, options, how, words = CASES[name]
    folder = out / name
    shutil.rmtree(folder, ignore_errors=True)
    ids = data(base)[0]
    torch.manual_seed(zlib.crc32(name.encode()))
    plain = logits_of(tiny(base), ids)
    model = begin(tiny(base), ids, options, **how)
    layers = {n.removeprefix("base_model.model."): m for n, m in model.named_modules() if hasattr(m, "lora_A")}
    values = {}
    for path, m in layers.items():
        a, b = m.lora_A["default"].weight, m.lora_B["default"].weight
        # Signs of singular vectors are free, products of A and B are not.
        values["a." + path] = a.T @ a
        values["ba." + path] = b @ a
    beginning = relative(logits_of(model, ids), plain)
    assert beginning < 1e-5, beginning
    precise = copy.deepcopy(model).double()
    losses, _ = train(Case(base, ""), model, ids, ids)
    noise = max(abs(x - y) / abs(y) for x, y in zip(losses, train(Case(base, ""), precise, ids, ids)[0]))
    values["logits"] = logits_of(model, ids)
    size = f"rank={options['r']},alpha={options['lora_alpha']},targets=q_proj+v_proj+down_proj,observe=1,"
    store(folder / "reference.safetensors", values)
    (folder / "reference.safetensors").chmod(0o644)
    write_json(folder / "case.json", {k: exact(v) for k, v in {
        "base": base, "method": "lora:" + size + words, "losses": losses, "noise": noise, "lr": LR,
        "versions": {m.__name__: m.__version__.split("+")[0] for m in (torch, transformers, peft)}}.items()})
    print(f"{name:20} {base:8} begins {beginning:.1e}, noise {noise:.1e}, losses " + " ".join(f"{v:.5f}" for v in losses), flush=True)


if __name__ == "__main__":
    quiet()
    torch.set_num_threads(1)
    torch.svd_lowrank = exact_svd
    for case in CASES:
        make(case, DATA / "peft_starts")
