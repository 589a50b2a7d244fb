#!/usr/bin/env python3
"""Writes test/stored/chat_masks.json: ids and masks that transformers' apply_chat_template gives with small templates.

Run with the versions of requirements.txt: python test/reference/chat_mask.py
The tokenizer is data/pocket's. "mask" is that of return_assistant_tokens_mask where the template has marks; else it
is made of the answers with what LEARNT says stands around them.
"""
import json
import os

from transformers import AutoTokenizer

HERE = os.path.dirname(os.path.abspath(__file__))
OUT = os.path.join(HERE, "..", "stored", "chat_masks.json")
POCKET = os.path.join(HERE, "..", "..", "data", "pocket")

ASK = "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
TEMPLATES = {
    "unmarked": "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{% endfor %}" + ASK,
    "other role, trimmed, begins with a token": "{{ bos_token }}{% for m in messages %}{{ '<|im_start|>' + ('bot' if m.role == 'assistant' else m.role) + "
    "'\n' + m.content | trim + '<|im_end|>' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>bot\n' }}{% endif %}",
    "headings, another end": "{% for m in messages %}{{ '### ' + m.role + ':\n' + m.content + ('\n<|im_end|>\n' if m.role == 'assistant' else '\n') }}"
    "{% endfor %}{% if add_generation_prompt %}### assistant:{% endif %}",
    "marked to the end token": "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' }}{% if m.role == 'assistant' %}{% generation %}"
    "{{ m.content + '<|im_end|>' }}{% endgeneration %}{{ '\n' }}{% else %}{{ m.content + '<|im_end|>\n' }}{% endif %}{% endfor %}" + ASK,
    "marked to the newline": "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' }}{% if m.role == 'assistant' %}{% generation %}"
    "{{ m.content + '<|im_end|>\n' }}{% endgeneration %}{% else %}{{ m.content + '<|im_end|>\n' }}{% endif %}{% endfor %}" + ASK,
    "marked inside a token": "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' }}{% if m.role == 'assistant' %}{% generation %}"
    "{{ m.content[:-2] }}{% endgeneration %}{{ m.content[-2:] + '<|im_end|>\n' }}{% else %}{{ m.content + '<|im_end|>\n' }}{% endif %}{% endfor %}" + ASK,
    "two marks a turn": "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' }}{% if m.role == 'assistant' %}{% generation %}{{ m.content }}"
    "{% endgeneration %}{{ '\n' }}{% generation %}<|im_end|>{% endgeneration %}{% else %}{{ m.content + '<|im_end|>\n' }}{% endif %}{% endfor %}" + ASK,
}
END = "<|im_end|>"
TEMPLATES |= {
    "a date of its own": "{% set ns = namespace(first='') %}{% if messages[0].role == 'system' %}{% set ns.first = messages[0].content %}"
    "{% set messages = messages[1:] %}{% endif %}{{ 'Today is 3 March 2026.\n' + ns.first + '<|im_end|>' }}{% for m in messages %}"
    "{{ '<|im_start|>' + m.role + '\n\n' + m.content | trim + '<|im_end|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n\n' }}{% endif %}",
    "a default system text": "{% for m in messages %}{% if loop.first and m.role != 'system' %}{{ '<|im_start|>system\nHelp.<|im_end|>\n' }}"
    "{% endif %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{% endfor %}" + ASK,
    "only answers are closed": "{% for m in messages %}{{ '[' + m.role + ']\n' + m.content }}{% if m.role == 'assistant' %}{{ eos_token }}"
    "{% if not loop.last %}{{ '\n' }}{% endif %}{% else %}{{ '\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '[assistant]\n' }}{% endif %}",
    "an end of text behind the turn": "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}"
    "{% if m.role == 'assistant' %}<|endoftext|>{% endif %}{% endfor %}" + ASK,
    "a separator for the newline": "{% for m in messages %}{{ '<|im_start|>' + m.role + ':|:' + m.content + '<|im_end|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant:|:' }}{% endif %}",
}
# What of an answer's text is learned before and behind it: ("", "<|im_end|>") where nothing is said.
LEARNT = {"headings, another end": ("\n", "\n" + END)}
CONVERSATIONS = [
    [("user", "Where is my parcel?"), ("assistant", "It is on its way.")],
    [("system", "Be brief."), ("user", " One?  "), ("assistant", "¡Sí! 🙂 Naturally."), ("user", "Two?"), ("assistant", "No, nothing.")],
]


def mask_of(tokenizer, text, messages, around):
    encoding = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    mask = [0] * len(encoding["input_ids"])
    at = 0
    for message in messages:
        if message["role"] != "assistant":
            continue
        answer = around[0] + message["content"] + around[1]
        at = text.index(answer, at)
        for i, (begin, end) in enumerate(encoding["offset_mapping"]):
            if begin < at + len(answer) and end > at:
                mask[i] = 1
        at += len(answer)
    return mask


def main():
    tokenizer = AutoTokenizer.from_pretrained(POCKET)
    out = []
    for name, template in TEMPLATES.items():
        for turns in CONVERSATIONS:
            messages = [{"role": role, "content": content} for role, content in turns]
            marked = "generation %}" in template
            text = tokenizer.apply_chat_template(messages, chat_template=template, tokenize=False)
            got = tokenizer.apply_chat_template(messages, chat_template=template, return_dict=True, return_assistant_tokens_mask=marked)
            out.append({"name": name, "jinja": template, "messages": messages, "ids": got["input_ids"],
                        "mask": got["assistant_masks"] if marked else mask_of(tokenizer, text, messages, LEARNT.get(name, ("", END)))})
    with open(OUT, "w", encoding="utf8") as file:
        json.dump(out, file, ensure_ascii=False)
        file.write("\n")
    print(len(out), "conversations")


if __name__ == "__main__":
    main()
