// Samples of the tests: the pocket tokenizer, questions and answers, and what of them is learned.
#pragma once
#include <string>
#include <vector>

#include "data/batches.h"
#include "test/scratch.h"

namespace afina::samples_test {

inline const Tokenizer& pocket() {
  static const Tokenizer tokenizer = Tokenizer::from_file(AFINA_SOURCE_DIR "/data/pocket");
  return tokenizer;
}
inline ChatTemplate chatml() { return ChatTemplate::named("chatml", pocket()); }

inline Example asked(const std::string& question, const std::string& answer,
                     const std::string& place = "here") {
  return {{{"user", question}, {"assistant", answer}}, "", place};
}

inline std::vector<Example> sums(int count, int repeat = 1) {
  std::vector<Example> all;
  for (int i = 0; i < count; ++i) {
    std::string words;
    for (int k = 0; k < i % 5; ++k) words += " and " + std::to_string(i * repeat + k);
    all.push_back(asked("What is " + std::to_string(i) + words + "?",
                        "It is " + std::to_string(i * i) + words + ".",
                        "line " + std::to_string(i + 1)));
  }
  return all;
}

inline SampleOptions options_of(int64_t length) {
  SampleOptions options;
  options.length = length;
  return options;
}

inline Samples samples_of(const std::vector<Example>& examples, int64_t length = 64) {
  return make_samples(examples, pocket(), chatml(), options_of(length));
}

inline std::string learned_text(const Sample& sample) {
  std::vector<int32_t> ids;
  for (size_t i = 0; i < sample.tokens.size(); ++i)
    if (sample.trained[i]) ids.push_back(sample.tokens[i]);
  return pocket().decode(ids);
}

}  // namespace afina::samples_test
