#!/bin/bash
# llama.cpp (xllamacpp 2026.10.11549): a GGUF file is not loaded when its general.name contains "phi3".
#
# Two GGUF files are the same but for general.name, which names the model for people: "small" and
# "my-phi3-style-model". Both are tiny Llamas with a byte-level BPE vocabulary. The first is loaded. The
# second is refused with the words of a map's lookup ("_Map_base::at"), as Phi-3's tokens (</s>, <unk>,
# ...) are looked for in every file with such a name, whatever its architecture and vocabulary. Where the
# vocabulary has these tokens, blanks after special tokens are dropped for the name alone. Seen:
#   small: loaded
#   my-phi3-style-model: not loaded, error loading model vocabulary: _Map_base::at
set -e
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" -q install xllamacpp==2026.10.11549 gguf==0.19.0 numpy
cat > "$folder/name.py" <<'PY'
import ctypes, pathlib, sys
import gguf, numpy as np
import xllamacpp.xllamacpp as built

letters = [chr(c) for c in range(33, 127)] + [chr(c) for c in range(161, 173)] + [chr(c) for c in range(174, 256)]
letters += [chr(256 + i) for i in range(256 - len(letters))]  # the alphabet of byte-level vocabularies

def write(path, name):
    w = gguf.GGUFWriter(path, "llama")
    w.add_name(name)
    w.add_block_count(1); w.add_context_length(64); w.add_embedding_length(32); w.add_feed_forward_length(64)
    w.add_head_count(2); w.add_head_count_kv(2); w.add_layer_norm_rms_eps(1e-5); w.add_vocab_size(258)
    w.add_rope_dimension_count(16)
    w.add_tokenizer_model("gpt2"); w.add_tokenizer_pre("gpt-2")
    w.add_token_list(letters + ["he", "<|end|>"]); w.add_token_types([1] * 257 + [3]); w.add_token_merges(["h e"])
    w.add_eos_token_id(257)
    shapes = {"token_embd.weight": (258, 32), "output_norm.weight": (32,), "blk.0.attn_norm.weight": (32,), "blk.0.ffn_norm.weight": (32,),
              "blk.0.ffn_gate.weight": (64, 32), "blk.0.ffn_up.weight": (64, 32), "blk.0.ffn_down.weight": (32, 64)}
    shapes |= {f"blk.0.attn_{part}.weight": (32, 32) for part in ("q", "k", "v", "output")}
    for tensor, shape in shapes.items():
        w.add_tensor(tensor, np.ones(shape, np.float32))
    w.write_header_to_file(); w.write_kv_data_to_file(); w.write_tensors_to_file(); w.close()

class Params(ctypes.Structure):  # only handed on; longer than the library's
    _fields_ = [("bytes", ctypes.c_ubyte * 1024)]

library = ctypes.CDLL(built.__file__)
library.llama_model_default_params.restype = Params
library.llama_model_load_from_file.restype = ctypes.c_void_p
library.llama_model_load_from_file.argtypes = [ctypes.c_char_p, Params]
said = []
log = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)(lambda level, text, data: said.append(text.decode()))
library.llama_log_set(log, None)
for name in ("small", "my-phi3-style-model"):
    path = pathlib.Path(sys.argv[1]) / (name + ".gguf")
    write(path, name)
    said.clear()
    model = library.llama_model_load_from_file(str(path).encode(), library.llama_model_default_params())
    why = [line.split("error loading model: ")[1].strip() for line in said if "error loading model: " in line]
    print(f"{name}: {'loaded' if model else 'not loaded, ' + why[0]}")
PY
"$folder/venv/bin/python" "$folder/name.py" "$folder" 2>/dev/null | tee "$folder/seen"
diff "$folder/seen" - <<'SEEN'
small: loaded
my-phi3-style-model: not loaded, error loading model vocabulary: _Map_base::at
SEEN
