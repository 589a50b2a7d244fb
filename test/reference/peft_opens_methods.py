"""Opens adapters of any method that afina wrote with PEFT and compares logits: those that a test left behind, or a run's."""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import warnings

from safetensors.torch import load_file

from common import DATA, TINY, quiet
from peft_opens_ours import agrees

IDS = "1,5,9,33,2,64,17,40,8,71,23,11"  # of a run's logits; tokens that every small vocabulary has


def logits_file(path):
    stored = load_file(str(path))
    return stored["input_ids"].long(), stored["logits"].float()


def of_test(folder, tolerance):
    """Every case that `AFINA_WRITTEN=folder build/tests --run_test=peft,peft_starts` left: trained by afina from PEFT's start, or from its own."""
    good, count = True, 0
    for case in sorted(p for p in folder.iterdir() if (p / "adapter_config.json").exists()):
        about = next(f for f in (DATA / kind / case.name / "case.json" for kind in ("peft", "peft_starts")) if f.exists())
        base = TINY / json.loads(about.read_text())["base"]
        print(f"{case.name:20} ", end="")
        merges = "merged_logits" in load_file(str(DATA / "peft" / case.name / "reference.safetensors"))
        good = agrees(str(base), str(case), *logits_file(case / "logits.safetensors"), tolerance, merges=merges) and good
        count += 1
    assert count, f"{folder}: no adapters"
    return good


def of_run(afina, base, adapter, tolerance):
    """A run's adapter folder: the logits come from `afina eval --logits-out`."""
    with tempfile.TemporaryDirectory() as scratch:
        out = pathlib.Path(scratch) / "logits.safetensors"
        subprocess.run([afina, "eval", "--model", base, "--adapter", adapter, "--ids", IDS, "--logits-out", str(out)], check=True)
        return agrees(base, adapter, *logits_file(out), tolerance)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--written", help="what the test left in AFINA_WRITTEN")
    parser.add_argument("--afina", help="the program, for a run's adapter")
    parser.add_argument("--base", help="the base model of the run: a Hugging Face folder")
    parser.add_argument("--adapter", help="the adapter's folder")
    parser.add_argument("--tolerance", type=float, default=2e-5, help="largest difference allowed, relative to the largest logit")
    options = parser.parse_args()
    run = [options.afina, options.base, options.adapter]
    if bool(options.written) == any(run) or any(run) and not all(run):
        parser.error("give --written, or --afina, --base and --adapter")
    quiet()
    warnings.filterwarnings("ignore")
    good = of_test(pathlib.Path(options.written), options.tolerance) if options.written else of_run(*run, options.tolerance)
    sys.exit(0 if good else 1)
