"""Opens the event files of a run with the tensorboard package, and compares every value with log.jsonl and run.json.

    afina train ... --tensorboard --out RUN;  python tensorboard_opens_ours.py RUN [RUN ...]

A folder of a comparison stands for all runs in it. Values are floats of 32 bits in event files."""

import argparse
import json
import os
import struct
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


def as_float(value):
    return struct.unpack("f", struct.pack("f", value))[0]


def expected(run):
    """By tag and step."""
    values = {}
    with open(os.path.join(run, "log.jsonl")) as lines:
        for line in map(json.loads, lines):
            for tag, key in (("loss/train", "loss"), ("learning_rate", "lr"), ("grad_norm", "grad_norm"),
                             ("tokens_per_second", "tokens_per_second")):
                values[tag, line["step"]] = line[key]
    with open(os.path.join(run, "run.json")) as file:
        points = json.load(file)["run"]["evaluations"]
    for step, heldout, retain in zip(points["step"], points["heldout"], points["retain"]):
        values["loss/held_out", step] = heldout
        if retain is not None:
            values["loss/retention", step] = retain
    return values


def found(run):
    accumulator = EventAccumulator(run, size_guidance={"scalars": 0})
    accumulator.Reload()
    values, times = {}, []
    for tag in accumulator.Tags()["scalars"]:
        for event in accumulator.Scalars(tag):
            assert (tag, event.step) not in values, f"{run}: {tag} of step {event.step} stands twice"
            values[tag, event.step] = event.value
            times.append(event.wall_time)
    return values, times


def check(run):
    ours, (theirs, times) = expected(run), found(run)
    assert set(ours) == set(theirs), f"{run}: {sorted(set(ours) ^ set(theirs))[:6]}"
    # After a stop the log's rate of a step comes from other clocks: the first of a resumed run differs.
    wrong = [key for key in ours if as_float(ours[key]) != theirs[key] and key[0] != "tokens_per_second"]
    rates = [key for key in ours if as_float(ours[key]) != theirs[key] and key[0] == "tokens_per_second"]
    assert not wrong, f"{run}: {[(key, ours[key], theirs[key]) for key in wrong[:6]]}"
    assert all(1e9 < time < 1e11 for time in times), f"{run}: wall times {min(times)} to {max(times)}"
    files = sum("tfevents" in name for name in os.listdir(run))
    print(f"{run}: {len(theirs)} values of {len({tag for tag, _ in theirs})} tags in {files} files are those of the log"
          + (f"; {len(rates)} rates of another clock" if rates else ""))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+")
    runs = []
    for given in parser.parse_args().runs:
        inside = [folder for folder, _, names in os.walk(given) if any("tfevents" in name for name in names)]
        assert inside, f"{given}: no event file is in it"
        runs += sorted(inside)
    for run in runs:
        check(run)


if __name__ == "__main__":
    sys.exit(main())
