// Who answers: how tokens are chosen, and where answers end.
#include "tools/runs/speakers.h"

namespace afina {

void SamplingOptions::check(const std::string& command) const {
  if (temperature == 0. && (top_k != 0 || top_p != 1.))
    throw UsageError("afina " + command +
                     ": --top-k and --top-p choose among likely tokens; give a --temperature above "
                     "0 as well");
  require(most > 0, "--max-tokens ", most, ": expected at least 1");
}

std::vector<int32_t> ends_of(const ModelFiles& files, const Tokenizer& tokenizer) {
  std::vector<int32_t> ends = stop_tokens(files, tokenizer);
  if (ends.empty() && tokenizer.eos() >= 0) ends.push_back(tokenizer.eos());
  return ends;
}

Speaker make_speaker(const OpenedModels::Opened& opened, const Tokenizer& tokenizer,
                     const std::vector<int32_t>& ends, const GenerateOptions& options,
                     const TemplateChoice& choice, bool raw) {
  Speaker one{opened, {}, options};
  one.options.stop = ends;
  if (raw) return one;
  one.format = ChatTemplate::choose({choice.name, opened.templates, choice.date}, tokenizer);
  for (int32_t id : {tokenizer.eos(), one.format->end_of_turn()})
    if (id >= 0) one.options.stop.push_back(id);
  return one;
}

}  // namespace afina
