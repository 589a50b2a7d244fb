#!/usr/bin/env python3
# Compares two results.json of the same comparison, key by key: everything that must be equal when a change moves no bit.
# Times, machine, version, date and paths may differ and are not compared. Prints what differs; exit status 1 when something does.
# Usage: test/same_results.py A B [--allow KEY]...
#   A, B: a results.json, or the folder of a comparison. Of folders, adapters and models of all runs are compared byte by byte as well.
#   --allow KEY: a key that may differ, or be missing on one side, wherever it stands; methods[0].runs[0].after for one place.
import argparse
import json
import pathlib
import sys

# Names of keys whose values depend on the clock, the machine or where the files are.
TIMES = {
    "seconds", "train_time", "train time", "tokens_per_second", "training_seconds",
    "processor", "processor_seconds", "step_seconds", "timing_notes",
}
MACHINE = {"machine", "version", "commit", "created", "command", "resident_peak"}
PATHS = {"path", "folder"}
OPTIONS = {"out", "threads", "memory-limit", "config", "device"}  # of the comparison's options
LIMIT = 40


def is_volatile(place, key):
    return key in TIMES | MACHINE | PATHS or (place == "options" and key in OPTIONS)


def differences(a, b, allowed, place=""):
    """Yields (place, text) for each difference of two JSON values."""
    if type(a) is not type(b):
        yield place, f"{json.dumps(a)[:60]} and {json.dumps(b)[:60]}"
    elif isinstance(a, dict):
        for key in list(a) + [k for k in b if k not in a]:
            inside = f"{place}.{key}" if place else key
            if is_volatile(place, key) or key in allowed or inside in allowed:
                continue
            if key not in a or key not in b:
                yield inside, "only in the " + ("first" if key in a else "second")
            else:
                yield from differences(a[key], b[key], allowed, inside)
    elif isinstance(a, list):
        if len(a) != len(b):
            yield place, f"{len(a)} and {len(b)} entries"
        for i, (x, y) in enumerate(zip(a, b)):
            yield from differences(x, y, allowed, f"{place}[{i}]")
    elif a != b:
        yield place, f"{json.dumps(a)[:60]} and {json.dumps(b)[:60]}"


def stored_files(folder):
    """Files of adapters and models below a comparison's runs, by their path from its folder."""
    return {
        str(file.relative_to(folder)): file
        for kind in ("adapter", "model")
        for file in sorted(folder.glob(f"runs/**/{kind}/*"))
        if file.is_file()
    }


def file_differences(a, b):
    ours, theirs = stored_files(a), stored_files(b)
    for name in sorted(ours.keys() | theirs.keys()):
        if name not in ours or name not in theirs:
            yield name, "only in the " + ("first" if name in ours else "second")
        elif ours[name].read_bytes() != theirs[name].read_bytes():
            yield name, "other bytes"


def main():
    parser = argparse.ArgumentParser(description="Compares two results.json; exit status 1 when they differ.")
    parser.add_argument("a", type=pathlib.Path, help="results.json or folder of a comparison")
    parser.add_argument("b", type=pathlib.Path, help="the other one")
    parser.add_argument("--allow", action="append", default=[], metavar="KEY", help="a key that may differ or be missing")
    options = parser.parse_args()
    read = lambda path: json.loads((path / "results.json" if path.is_dir() else path).read_text(encoding="utf-8"))
    found = list(differences(read(options.a), read(options.b), set(options.allow)))
    files = 0
    if options.a.is_dir() and options.b.is_dir():
        files = len(stored_files(options.a))
        found += file_differences(options.a, options.b)
    for place, text in found[:LIMIT]:
        print(f"{place}: {text}")
    if len(found) > LIMIT:
        print(f"... and {len(found) - LIMIT} more")
    print("the results differ" if found else f"the same results ({files} files of adapters and models compared)")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
