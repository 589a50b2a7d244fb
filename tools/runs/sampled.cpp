// Sampling answers.
#include "tools/runs/sampled.h"

#include "data/tokenizer/utf8.h"
#include "engine/random.h"
#include "tools/runs/dialogue.h"
#include "tools/runs/subject.h"

namespace afina {

std::vector<Example> asked_of(const std::vector<Example>& records, int64_t count) {
  std::vector<Example> out;
  for (const Example& record : records) {
    if (int64_t(out.size()) == count) break;
    size_t end = record.messages.size();
    while (end > 0 && record.messages[end - 1].role != "assistant") --end;
    if (end < 2) continue;
    out.push_back(record);
    out.back().messages.resize(end);
  }
  return out;
}

SampledAnswers sample_answers(const std::string& run, const std::vector<Example>& asked,
                              const SamplingPlan& plan, const std::function<void(int64_t)>& done) {
  Subject subject = open_subject({run, "", ""});
  const Tokenizer tokenizer = subject.tokenizer();
  const ChatTemplate chat = subject.chat(tokenizer);
  const std::unique_ptr<Model> model = subject.load();
  GenerateOptions options = within(tokenizer, {});
  options.temperature = plan.temperature;
  options.stop = subject.stops(tokenizer, chat);
  SampledAnswers all;
  int64_t count = 0;
  for (size_t i = 0; i < asked.size(); ++i) {
    const std::vector<Message>& turns = asked[i].messages;
    const std::vector<int32_t> prompt =
        tokenizer.encode(chat.text({turns.begin(), turns.end() - 1}, true, asked[i].input));
    const int64_t room = model->context() - int64_t(prompt.size());
    require(room > 0, asked[i].place, ": its question of ", prompt.size(),
            " tokens fills the model's context; leave it out of the held-out records");
    options.most = std::min(plan.most, room);
    KeptCache kept;
    all.emplace_back();
    for (int64_t sample = 0; sample < plan.samples; ++sample) {
      options.seed = Random(plan.seed, "sampled answers", i).bits(uint64_t(sample));
      const GivenAnswer answer = continue_tokens(
          *model, tokenizer, prompt, options, [](const std::string&) { return true; }, &kept);
      all.back().push_back(valid_utf8(answer.text));
      done(++count);
    }
  }
  return all;
}

}  // namespace afina
