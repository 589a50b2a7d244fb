// Compares the values of an answer with those of its question.
#include "data/checks/applied.h"

#include <algorithm>
#include <unordered_map>

#include "data/checks/neighbours.h"

namespace afina {

// Values of a text, sorted.
static void add_values(std::string_view text, Reading& reading, std::vector<uint64_t>& out) {
  Corpus::read(text, reading);
  for (const Value& value : reading.values) out.push_back(value.id);
  sort_unique(out);
}

void find_applied(const Corpus& corpus, const Answer& answer, std::vector<bool>& applied) {
  Reading reading;
  std::vector<uint64_t> asked, common;
  for (uint32_t t = corpus.record(answer.record).first_turn; t < answer.turn; ++t)
    if (corpus.turns()[t].role == TurnRole::question) add_values(corpus.text(t), reading, asked);
  std::vector<std::vector<uint64_t>> values(answer.sentences);
  applied.assign(answer.sentences, false);
  for (uint32_t k = 0; k < answer.sentences; ++k) {
    const std::string_view text = corpus.text(corpus.sentences(answer)[k]);
    applied[k] = text.ends_with('?');
    if (!asked.empty()) add_values(text, reading, values[k]);
  }
  std::unordered_map<uint64_t, uint32_t> said;  // value -> sentences that have it
  for (const std::vector<uint64_t>& of : values)
    for (uint64_t value : of) ++said[value];
  for (uint32_t k = 0; k < answer.sentences && !asked.empty(); ++k)
    for (uint64_t value : values[k])
      if (said[value] == 1 && std::binary_search(asked.begin(), asked.end(), value))
        applied[k] = true;
}

}  // namespace afina
