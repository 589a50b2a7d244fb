#!/usr/bin/env python3
"""Renders the TEMPLATE of a Modelfile as Ollama does, with Go's own text/template, beside transformers.

    afina export RUN --to ollama --out runs/ollama; afina export RUN --to hf --out runs/hf
    ollama_template.py --ollama runs/ollama --folder runs/hf

Needs Go (Debian: golang-go) and transformers. Ollama gives a template the system text as .System and the
conversation as .Messages, each with .Role and .Content, messages of one role in a row joined by an empty line;
a system text stands among the messages too. Compared are conversations of one, three and five turns, with and
without a system text, and texts that hold marks of both template languages. Prints one line each; the exit status
is 1 where a text differs.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

GO = r"""
package main

import (
	"encoding/json"
	"os"
	"text/template"
)

type Message struct{ Role, Content string }
type Input struct {
	Template, System string
	Messages         []*Message
}

func main() {
	var all []Input
	if err := json.NewDecoder(os.Stdin).Decode(&all); err != nil {
		panic(err)
	}
	rendered := []string{}
	for _, one := range all {
		made, err := template.New("").Option("missingkey=zero").Parse(one.Template)
		if err != nil {
			panic(err)
		}
		var text []byte
		if err := made.Execute(writer{&text}, map[string]any{"System": one.System, "Messages": one.Messages, "Response": ""}); err != nil {
			panic(err)
		}
		rendered = append(rendered, string(text))
	}
	json.NewEncoder(os.Stdout).Encode(rendered)
}

type writer struct{ text *[]byte }

func (w writer) Write(more []byte) (int, error) {
	*w.text = append(*w.text, more...)
	return len(more), nil
}
"""


def conversations():
    turns = ["Where is it?", "On its way, {{ .System }}.", "And {% when %}?", 'Soon: """ok""".', "Thanks\n\nAna"]
    for count in (1, 3, 5):
        for system in ("", "You are brief."):
            messages = [{"role": "system", "content": system}] if system else []
            messages += [{"role": "assistant" if i % 2 else "user", "content": turns[i]} for i in range(count)]
            yield system, messages


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ollama", required=True, help="folder of 'afina export --to ollama'")
    parser.add_argument("--folder", required=True, help="Hugging Face folder with the same chat template")
    asked = parser.parse_args()
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(asked.folder)
    text = (pathlib.Path(asked.ollama) / "Modelfile").read_text()
    begin = text.index('TEMPLATE """') + len('TEMPLATE """')
    template = text[begin : text.index('"""', begin)]
    cases = list(conversations())
    inputs = [
        {"Template": template, "System": system, "Messages": [{"Role": m["role"], "Content": m["content"]} for m in messages]}
        for system, messages in cases
    ]
    with tempfile.TemporaryDirectory() as folder:
        program = pathlib.Path(folder) / "render.go"
        program.write_text(GO)
        done = subprocess.run(["go", "run", str(program)], input=json.dumps(inputs), capture_output=True, text=True, check=True)
    wrong = 0
    for (system, messages), rendered in zip(cases, json.loads(done.stdout)):
        expected = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        # llama.cpp, and with it Ollama, puts the begin token there itself.
        if tokenizer.bos_token and expected.startswith(tokenizer.bos_token) and not rendered.startswith(tokenizer.bos_token):
            expected = expected[len(tokenizer.bos_token) :]
        same = rendered == expected
        wrong += not same
        turns = len(messages) - bool(system)
        print(f"{turns} turns, {'a' if system else 'no'} system text: {'the same' if same else 'differs'}")
        if not same:
            print("  transformers:", repr(expected), "\n  Ollama:      ", repr(rendered))
    sys.exit(1 if wrong else 0)


main()
