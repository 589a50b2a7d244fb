"""The tokenizer's splitting and merging in plain Python, for counting tokens: what make_tokenizer.py trains on and make_parts.py counts."""

import collections
import json
import re

# GPT-2's pattern for Python's re: a letter is a word character that is neither digit nor underscore.
SPLIT = re.compile(r"'s|'t|'re|'ve|'m|'ll|'d| ?[^\W\d_]+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+")


def byte_letters():
    """GPT-2's printable stand-in for each byte."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = {byte: chr(byte) for byte in printable}
    for byte in range(256):
        if byte not in letters:
            letters[byte] = chr(256 + len(letters) - len(printable))
    return letters


def pieces(text):
    for part in re.split(r"(\d)", text):
        if part.isdigit():
            yield part
        elif part:
            yield from SPLIT.findall(part)


def parts_of(record):
    """The texts of a record between its special tokens, as the chat template writes them."""
    if "messages" in record:
        for message in record["messages"]:
            yield f"{message['role']}\n{message['content']}"
            yield "\n"
    else:
        yield record["text"]


def special_tokens(record):
    """How often <|endoftext|>, <|im_start|> and <|im_end|> stand in a record."""
    messages = len(record.get("messages", []))
    return (0 if messages else 1), messages, messages


def records_of(paths):
    for path in paths:
        with open(path, encoding="utf-8") as lines:
            yield from map(json.loads, lines)


def count_pieces(paths):
    """Each piece of the files as bytes, with its count."""
    counts = collections.Counter()
    for record in records_of(paths):
        for text in parts_of(record):
            counts.update(pieces(text))
    return {piece.encode(): count for piece, count in counts.items()}


class Tokenizer:
    def __init__(self, path):
        model = json.loads(path.read_text(encoding="utf-8"))["model"]
        self.ids = model["vocab"]
        self.ranks = {tuple(merge.split(" ")): rank for rank, merge in enumerate(model["merges"])}
        self.letters, self.known = byte_letters(), {}
        bytes_of = {letter: byte for byte, letter in self.letters.items()}
        self.bytes = [b""] * len(self.ids)  # of each token; none for special ones
        for token, i in self.ids.items():
            if not token.startswith("<|"):
                self.bytes[i] = bytes(bytes_of[letter] for letter in token)

    def encode_piece(self, piece):
        """The ids of a piece, given as bytes."""
        if piece not in self.known:
            parts = [self.letters[byte] for byte in piece]
            while len(parts) > 1:
                rank, at = min((self.ranks.get(pair, len(self.ranks)), i) for i, pair in enumerate(zip(parts, parts[1:])))
                if rank == len(self.ranks):
                    break
                parts[at:at + 2] = [parts[at] + parts[at + 1]]
            self.known[piece] = [self.ids[part] for part in parts]
        return self.known[piece]

    def encode(self, text):
        return [i for piece in pieces(text) for i in self.encode_piece(piece.encode())]

    def count(self, paths):
        """How often each token stands in the files as they are trained on."""
        counts = [0] * len(self.ids)
        for record in records_of(paths):
            self.add(record, counts)
        return counts

    def add(self, record, counts):
        for i, count in enumerate(special_tokens(record)):
            counts[i] += count
        for text in parts_of(record):
            for i in self.encode(text):
                counts[i] += 1
