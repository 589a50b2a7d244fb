"""Trains the pocket model's byte-level BPE and writes its Hugging Face files: python3 data/pocket/make_tokenizer.py TEXT_DIR [--out DIR]

TEXT_DIR is what make_text.py wrote; nothing else is read, so every merge was learned from text that the model sees. Pre-tokenisation is
that of SmolLM2: each digit alone, then the splitting of GPT-2. Ties between pairs go to the smaller pair, so the result has one form.
"""

import argparse
import collections
import heapq
import json
import pathlib

from bpe import byte_letters, count_pieces

HERE = pathlib.Path(__file__).resolve().parent
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
VOCABULARY = 2048
CHAT_TEMPLATE = ("{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}"
                 "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}")


def train(words, merges_wanted):
    """The merges, in order. words: tuple of symbols -> count."""
    symbols, counts = [list(word) for word in words], list(words.values())
    pair_count, pair_words = collections.Counter(), collections.defaultdict(set)
    for i, word in enumerate(symbols):
        for pair in zip(word, word[1:]):
            pair_count[pair] += counts[i]
            pair_words[pair].add(i)
    heap = [(-count, pair) for pair, count in pair_count.items()]
    heapq.heapify(heap)
    merges = []
    while heap and len(merges) < merges_wanted:
        count, pair = heapq.heappop(heap)
        if pair_count[pair] != -count:
            if pair_count[pair] > 0:  # a stale entry: push it again with its current count
                heapq.heappush(heap, (-pair_count[pair], pair))
            continue
        merges.append(pair)
        for changed in apply(pair, symbols, counts, pair_count, pair_words):
            heapq.heappush(heap, (-pair_count[changed], changed))
    return merges


def apply(pair, symbols, counts, pair_count, pair_words):
    """Merges the pair in every word that contains it. Returns the pairs whose count increased."""
    grown = set()
    for i in sorted(pair_words.pop(pair)):
        old, new, at = symbols[i], [], 0
        while at < len(old):
            joined = tuple(old[at:at + 2]) == pair
            new.append(old[at] + old[at + 1] if joined else old[at])
            at += 2 if joined else 1
        for gone in zip(old, old[1:]):
            pair_count[gone] -= counts[i]
        for come in zip(new, new[1:]):
            pair_count[come] += counts[i]
            pair_words[come].add(i)
            grown.add(come)
        symbols[i] = new
    return sorted(grown)


def tokenizer_json(merges):
    letters = byte_letters()
    tokens = SPECIAL + [letters[byte] for byte in sorted(letters, key=lambda byte: letters[byte])] + [a + b for a, b in merges]
    added = [{"id": i, "content": token, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
             for i, token in enumerate(SPECIAL)]
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Digits", "individual_digits": True}, byte_level]},
        "post_processor": None, "decoder": byte_level,
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None,
                  "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
                  "vocab": {token: i for i, token in enumerate(tokens)}, "merges": [f"{a} {b}" for a, b in merges]}}


def tokenizer_config():
    special = {"lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": True}
    return {"add_prefix_space": False, "added_tokens_decoder": {str(i): {"content": token, **special} for i, token in enumerate(SPECIAL)},
            "bos_token": SPECIAL[0], "eos_token": SPECIAL[2], "pad_token": SPECIAL[0], "unk_token": SPECIAL[0],
            "chat_template": CHAT_TEMPLATE, "clean_up_tokenization_spaces": False, "model_max_length": 256,
            "tokenizer_class": "GPT2Tokenizer"}


def config():
    return {"architectures": ["LlamaForCausalLM"], "attention_bias": False, "attention_dropout": 0.0, "bos_token_id": 0, "eos_token_id": 2,
            "head_dim": 32, "hidden_act": "silu", "hidden_size": 128, "initializer_range": 0.02, "intermediate_size": 384,
            "max_position_embeddings": 256, "mlp_bias": False, "model_type": "llama", "num_attention_heads": 4, "num_hidden_layers": 6,
            "num_key_value_heads": 2, "pad_token_id": 0, "pretraining_tp": 1, "rms_norm_eps": 1e-05, "rope_scaling": None,
            "rope_theta": 10000.0, "tie_word_embeddings": True, "torch_dtype": "float32", "transformers_version": "4.46.0",
            "use_cache": True, "vocab_size": VOCABULARY}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text_dir", type=pathlib.Path)
    parser.add_argument("--out", type=pathlib.Path, default=HERE)
    options = parser.parse_args()
    letters = byte_letters()
    words = {tuple(letters[byte] for byte in piece): count
             for piece, count in count_pieces([options.text_dir / name for name in ("text.jsonl", "chat.jsonl")]).items()}
    merges = train(words, VOCABULARY - len(SPECIAL) - 256)
    generation = {"bos_token_id": 0, "eos_token_id": [2, 0], "pad_token_id": 0, "transformers_version": "4.46.0"}
    for name, content in [("tokenizer.json", tokenizer_json(merges)), ("tokenizer_config.json", tokenizer_config()),
                          ("config.json", config()), ("generation_config.json", generation)]:
        (options.out / name).write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")
        print(f"wrote {options.out / name}")


if __name__ == "__main__":
    main()
