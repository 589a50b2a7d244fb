# Writes small Parquet files by pyarrow, in each compression and encoding that is read, and what they
# hold as JSON lines: test/stored/data. Usage: python data_forms.py [FOLDER]; needs pyarrow.
import json
import pathlib
import sys

import pyarrow as pa
import pyarrow.parquet as pq

folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent / "stored" / "data")
folder.mkdir(parents=True, exist_ok=True)

asked = ["When does the tram leave?", "Which shelf holds the maps?", "Who waters the ferns?", "Wie groß ist der Mast?", ""]
answered = ["It leaves at nine.", "The third shelf.\nOn the left.", "Nadia, \"on Mondays\".", "Elf Meter 🌿.", "Nothing."]


def rows(count):
    for i in range(count):
        yield {
            "prompt": f"{asked[i % 5]} {i}",
            "completion": answered[i % 5] if i % 4 else f"{answered[i % 5]} ({i})",
            "system": None if i % 3 else "Be brief.",
            "number": None if i % 7 == 3 else i * i - 5,
            "big": (1 << 63) - 1 - i,
            "real": None if i % 5 == 4 else i / 8,
            "single": i / 10,
            "yes": i % 3 == 1,
            "tags": None if i % 4 == 3 else [f"t{k}" if k % 2 else None for k in range(i % 4)],
        }


schema = pa.schema([
    ("prompt", pa.string()), ("completion", pa.large_string()), ("system", pa.string()), ("number", pa.int32()),
    ("big", pa.uint64()), ("real", pa.float64()), ("single", pa.float32()), ("yes", pa.bool_()),
    ("tags", pa.list_(pa.string()))])


def write(name, table, **how):
    pq.write_table(table, folder / f"{name}.parquet", **{"write_statistics": False, "store_schema": False} | how)


def lines(name, all_rows):
    (folder / f"{name}.jsonl").write_text("".join(json.dumps(r, ensure_ascii=False, separators=(",", ":")) + "\n" for r in all_rows))


plain = list(rows(20))
table = pa.Table.from_pylist(plain, schema)
lines("rows", plain)
write("none", table, compression="none", use_dictionary=False)
for codec in ("snappy", "gzip", "zstd"):
    write(codec, table, compression=codec, row_group_size=8)
write("brotli", table, compression="brotli")
write("checksums", table, compression="zstd", write_page_checksum=True, row_group_size=8)
write("delta", table, compression="zstd", use_dictionary=False, data_page_version="2.0", column_encoding={
    "prompt": "DELTA_BYTE_ARRAY", "completion": "DELTA_LENGTH_BYTE_ARRAY", "number": "DELTA_BINARY_PACKED",
    "big": "DELTA_BINARY_PACKED", "yes": "RLE"})
write("split", table, compression="none", use_dictionary=False, column_encoding={"real": "BYTE_STREAM_SPLIT"})

turns = [
    {"messages": [{"role": "user", "content": asked[i % 5] or "?", "name": None},
                  {"role": "assistant", "content": answered[i % 5], "name": "Ann" if i == 2 else None}] * (1 + i % 2),
     "id": i} for i in range(7)]
turn = pa.struct([("role", pa.string()), ("content", pa.string()), ("name", pa.string())])
table = pa.Table.from_pylist(turns, pa.schema([("messages", pa.list_(turn)), ("id", pa.int64())]))
lines("messages", turns)
write("messages", table, compression="snappy", row_group_size=3)
write("messages_old_lists", table, compression="none", use_compliant_nested_type=False)

dated = pa.table({"prompt": ["Q"], "completion": ["A"], "when": pa.array([0], pa.timestamp("ms")), "raw": [b"\xff"],
                  "price": pa.array([None], pa.decimal128(5, 2))})
write("dated", dated, compression="none")
write("empty", dated.select(["prompt", "completion"]).slice(0, 0), compression="none")
