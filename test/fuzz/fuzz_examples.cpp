// Fuzz target: training data as JSONL, JSON arrays and text.
#include "data/examples.h"
#include "test/fuzz/fuzz.h"

static void run(std::string_view input) {
  using namespace afina;
  // The first byte chooses the kind of file; what it holds is decided by its ending.
  std::string name = input.empty() || input[0] != 't' ? "fuzz.jsonl" : "fuzz.txt";
  for (auto& example : parse_examples(std::string(input.substr(name == "fuzz.txt")), name))
    if (example.is_text() ? example.text.empty() : example.messages.empty())
      throw std::logic_error("an example without content");
}

static std::vector<std::string> seeds() {
  return {R"({"prompt": "Q", "completion": "A", "system": "S"})"
          "\n\n"
          R"({"prompt": "Q2", "completion": "A2"})",
          R"([{"instruction": "Q", "input": "I", "output": "A"}])",
          R"({"text": "one"})"
          "\n",
          R"({"messages": [{"role": "system", "content": "S"}, {"role": "user", "content": "Q"},)"
          R"( {"role": "assistant", "content": "A"}]})",
          R"({"conversations": [{"from": "human", "value": "Q"}, {"from": "gpt", "value": "A"}]})",
          R"({"data": [{"prompt": 1.50, "completion": [{"role": "assistant", "content": "A"}]},)"
          R"( {"prompt": "Q", "completion": 2}], "n": {}})",
          "\xEF\xBB\xBF{\n \"prompt\": \"Q\",\n \"completion\": \"A\", \"history\": [[\"Q\", "
          "2]]\n}\n",
          R"({"messages": "[{\"from\": \"gpt\", )"
          R"(\"value\": [{\"type\": \"text\", \"text\": \"A\"}]}]"})",
          "t = One = \n\n text \n<|endoftext|>\n\n = Two = \n"};
}

static const afina::FuzzTarget registered("examples", run, seeds,
                                          {"\"role\"", "\"content\"", "\"from\"", "null", "[[[[",
                                           "\\ud800", "NaN", "{\"data\": ", "\n", " = ",
                                           "\xEF\xBB\xBF"});
