# Writes records by the libraries that people use and checks that `afina show` gives the same tokens as for the same records as
# JSON lines, in every form of docs/compatibility.md. Usage: python data_forms_check.py [build/afina]; needs pyarrow, polars,
# duckdb, pandas, fastparquet, datasets, zstandard.
import csv
import gzip
import json
import pathlib
import random
import re
import subprocess
import sys
import tempfile

import datasets
import duckdb
import pandas
import polars
import pyarrow
import pyarrow.parquet
import zstandard

afina = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "build/afina").resolve()
pocket = pathlib.Path(__file__).resolve().parents[2] / "data" / "pocket"
random.seed(1)
words = ["tram", "shelf, left", "a\nb", '"q"', "ü", "🌿", "x" * 30, "it's"]


def text():
    return " ".join(random.choice(words) for _ in range(random.randrange(1, 6)))


asked = [{"prompt": text(), "completion": text(), "system": text() if i % 3 else None} for i in range(200)]
turns = [{"messages": [{"role": role, "content": text()} for role in ["user", "assistant"] * random.randrange(1, 3)]} for _ in range(200)]


def shown(path, *options):
    command = [afina, "show", "--model", pocket, "--data", path, "--records", "1000", "--on-too-long", "cut", *options]
    done = subprocess.run(command, capture_output=True, text=True)
    return re.sub(r"^.*: (\d+ tokens)", r"\1", done.stdout, flags=re.M) if done.returncode == 0 else f"{path}: {done.stderr}"


folder = pathlib.Path(tempfile.mkdtemp())
wrong = 0


def check(name, rows, *options):
    global wrong
    expected = folder / "expected.jsonl"
    expected.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found, right = shown(folder / name, *options), shown(expected)
    assert right.count(" tokens, ") == len(rows), right
    wrong += found != right
    print(f"{name:28} {'the same' if found == right else 'DIFFERENT: ' + found[:200]}")


for name, rows in {"asked": asked, "turns": turns}.items():
    table = pyarrow.Table.from_pylist(rows)
    for codec in ["none", "snappy", "gzip", "zstd"]:
        for pages in ["1.0", "2.0"]:
            file = f"{name}-{codec}-{pages}.parquet"
            pyarrow.parquet.write_table(table, folder / file, compression=codec, data_page_version=pages, row_group_size=64)
            check(file, rows)
    frame = polars.from_arrow(table)
    frame.write_parquet(folder / f"{name}-polars.parquet")
    check(f"{name}-polars.parquet", rows)
    for version in ["V1", "V2"]:
        duckdb.sql(f"COPY (SELECT * FROM frame) TO '{folder}/{name}-duckdb-{version}.parquet' (FORMAT parquet, PARQUET_VERSION {version})")
        check(f"{name}-duckdb-{version}.parquet", rows)
    datasets.disable_progress_bars()
    datasets.Dataset.from_list(rows).to_parquet(folder / f"{name}-datasets.parquet")
    check(f"{name}-datasets.parquet", rows)
    pandas.DataFrame(rows).to_parquet(folder / f"{name}-pandas.parquet")
    check(f"{name}-pandas.parquet", rows)
    pandas.DataFrame(rows).to_json(folder / f"{name}-pandas.json", orient="records")
    check(f"{name}-pandas.json", rows)
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    forms = {
        "indented.json": json.dumps(rows, indent=2), "indented.jsonl": "".join(json.dumps(row, indent=1) + "\n" for row in rows),
        "wrapped.json": json.dumps({"version": "1", "data": rows}), "mark.json": "\ufeff" + json.dumps(rows), "mark.jsonl": "\ufeff" + lines}
    for file, form in forms.items():
        (folder / f"{name}-{file}").write_text(form)
        check(f"{name}-{file}", rows)
    for file, form in {"utf16.jsonl": lines.encode("utf-16"), "lines.jsonl.gz": gzip.compress(lines.encode()),
                       "lines.jsonl.zst": zstandard.compress(lines.encode())}.items():
        (folder / f"{name}-{file}").write_bytes(form)
        check(f"{name}-{file}", rows)
pandas.DataFrame(asked).to_parquet(folder / "asked-fastparquet.parquet", engine="fastparquet")
check("asked-fastparquet.parquet", asked)
for form, how in {"csv": {}, "tsv": {"delimiter": "\t"}}.items():
    with open(folder / f"asked.{form}", "w", newline="") as file:
        writer = csv.DictWriter(file, list(asked[0]), **how)
        writer.writeheader()
        writer.writerows(asked)
    check(f"asked.{form}", asked)
pandas.DataFrame(asked).to_csv(folder / "asked-pandas.csv", index=False)
check("asked-pandas.csv", asked)
pandas.DataFrame(asked).to_csv(folder / "asked-excel.csv", index=False, sep=";", encoding="utf-16")
check("asked-excel.csv", asked, "--delimiter", ";")
polars.DataFrame(asked).write_csv(folder / "asked-polars.csv", include_bom=True)
check("asked-polars.csv", asked)
encoded = [{key: value and value.replace("🌿", "€") for key, value in row.items()} for row in asked]
pandas.DataFrame(encoded).to_csv(folder / "encoded.csv", index=False, encoding="windows-1252")
check("encoded.csv", encoded, "--encoding", "windows-1252")
nested = [{"messages": json.dumps(row["messages"])} for row in turns]
(folder / "nested.jsonl").write_text("".join(json.dumps(row) + "\n" for row in nested))
check("nested.jsonl", turns)
pandas.DataFrame(nested).to_csv(folder / "nested.csv", index=False)
check("nested.csv", turns)
sys.exit(wrong > 0)
