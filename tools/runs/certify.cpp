// Certificates, measured.
#include "tools/runs/certify.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "engine/counted.h"
#include "engine/files/folder_file.h"
#include "engine/files/rounding.h"
#include "engine/random.h"
#include "model/files/file_weights.h"
#include "model/generate.h"
#include "model/merge.h"
#include "tools/results/machine.h"
#include "tools/text/format.h"

namespace afina {

namespace {

constexpr int64_t answer_length = 32;
// The written model may differ from the trained one by this many times what random rounding of the
// same size does: two draws of such noise, and weights that are not Gaussian.
constexpr double rms_room = 3., kl_room = 9.;
// Sums in another order, as a merged product has them.
constexpr double rms_of_sums = 2e-4, kl_of_sums = 1e-6;

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", value);
  return text;
}

// log of the sum of exponentials, and the place of the largest.
double log_sum(const float* x, size_t n, size_t& place) {
  place = size_t(std::max_element(x, x + n) - x);
  double sum = 0.;
  for (size_t i = 0; i < n; ++i) sum += std::exp(double(x[i]) - double(x[place]));
  return double(x[place]) + std::log(sum);
}

}  // namespace

Responses respond(Model& model, const Questions& questions, const GenerateOptions* options) {
  Responses out;
  for (const Questions::Row& row : questions.rows)
    out.logits.push_back(model.logits(make_inputs(row.tokens)).values());
  if (options)
    for (const Questions::Prompt& prompt : questions.prompts)
      out.answers.push_back(generate(model, prompt.tokens, *options).tokens);
  return out;
}

LogitDifference difference(const Questions& questions, const Responses& before,
                           const Responses& after) {
  LogitDifference d;
  double squares = 0., sum = 0., sum_squares = 0., loss_before = 0., loss_after = 0.;
  int64_t count = 0;
  for (size_t r = 0; r < questions.rows.size(); ++r) {
    const Questions::Row& row = questions.rows[r];
    const std::vector<float>&all = before.logits[r], &other = after.logits[r];
    require(all.size() == other.size(), "the written model has ", other.size() / row.tokens.size(),
            " logits at each position where the trained one has ", all.size() / row.tokens.size());
    const size_t n = all.size() / row.tokens.size();
    for (size_t t = 0; t < row.tokens.size(); ++t) {
      const float *x = all.data() + t * n, *y = other.data() + t * n;
      size_t top = 0, top_after = 0;
      const double norm = log_sum(x, n, top), norm_after = log_sum(y, n, top_after);
      double kl = 0.;
      for (size_t i = 0; i < n; ++i) {
        const double a = double(x[i]), off = double(y[i]) - a;
        d.largest = std::max(d.largest, std::fabs(off));
        squares += off * off;
        sum += a;
        sum_squares += a * a;
        kl += std::exp(a - norm) * ((a - norm) - (double(y[i]) - norm_after));
      }
      kl = std::max(kl, 0.);
      d.kl += kl;
      d.worst_kl = std::max(d.worst_kl, kl);
      d.same_choice += top == top_after;
      ++d.positions;
      count += int64_t(n);
      if (t + 1 >= row.tokens.size() || !row.targets[t + 1]) continue;
      const auto next = size_t(row.tokens[t + 1]);
      loss_before += norm - double(x[next]);
      loss_after += norm_after - double(y[next]);
      ++d.targets;
    }
  }
  const double positions = double(std::max<int64_t>(d.positions, 1)),
               numbers = double(std::max<int64_t>(count, 1)),
               targets = double(std::max<int64_t>(d.targets, 1));
  d.kl /= positions;
  d.rms = std::sqrt(squares / numbers);
  d.deviation = std::sqrt(std::max(sum_squares / numbers - std::pow(sum / numbers, 2), 0.));
  d.perplexity_before = std::exp(loss_before / targets);
  d.perplexity_after = std::exp(loss_after / targets);
  return d;
}

void round_at_random(Model& model, const StoredTypes& types,
                     const std::map<StoredType, double>& measured) {
  for (Parameter& p : model.parameters->all) {
    auto found = types.find(p.name);
    double share = found == types.end() ? 0. : gaussian_rounding(found->second);
    if (share > 0.)
      if (auto less = measured.find(found->second); less != measured.end())
        share = std::min(share, less->second);
    if (share <= 0.) continue;
    std::vector<float> values = p.exact().values();
    double squares = 0.;
    for (float value : values) squares += double(value) * double(value);
    const auto size = float(share * std::sqrt(squares / double(values.size())));
    const Random random(1, "certificate", p.name);
    for (size_t i = 0; i < values.size(); ++i) values[i] += size * random.normal(i);
    p.unpack();
    p.assign(values.data());
  }
  merge_adapters(model);
}

Certifier::Certifier(Subject& subject, const QuestionOptions& options)
    : subject_(subject), questions_(make_questions(subject, options)) {
  certificate.trained = subject.described;
  certificate.rows = questions_.described;
  certificate.notes = questions_.notes;
  if (subject.base.form != BaseForm::plain)
    certificate.notes.push_back(
        "trained over " + words_of(subject.base) +
        ": what is merged into and compared with are its numbers unpacked. An adapter by itself is "
        "meant for that base; beside other numbers it is another model");
  if (std::string other = over_another_base(subject.adapter, subject.base); !other.empty())
    certificate.notes.push_back(std::move(other));
  certificate.created = utc_now();
  certificate.version = version();
  model_ = subject.load();
  config_ = model_->config;
  config_.tied = config_.tied && model_->ends().tied();
  answering_.most = answer_length;
  if (subject.has_tokenizer) {
    tokenizer_ = std::make_unique<Tokenizer>(subject.tokenizer());
    answering_.stop = subject.stops(*tokenizer_, subject.chat(*tokenizer_));
    answering_.known = [this](int32_t id) { return tokenizer_->has(id); };
  }
  before_ = respond(*model_, questions_, &answering_);
  compare_with_base();
}

void Certifier::check(const std::string& name, const std::string& found, const std::string& bound,
                      bool holds, const std::string& means) {
  certificate.checks.push_back({name, found, bound, means, holds});
}

// How far training moved the model: what rounding must not swallow.
void Certifier::compare_with_base() {
  auto base = subject_.load_base();
  if (!base || base->method->virtual_tokens() != model_->method->virtual_tokens()) return;
  certificate.has_effect = true;
  certificate.effect_kl = difference(questions_, before_, respond(*base, questions_, nullptr)).kl;
}

void Certifier::weights(FileWeights& written, Scales scales) {
  add(weight_errors(*model_, written, scales), "weights");
}

void Certifier::adapter(Model& written, const StoredTensors* file,
                        const std::vector<FactorType>& factors) {
  if (file)
    if (const auto errors = adapter_errors(*model_, written, *file)) add(*errors, "adapter");
  const std::string why = model_->method->why_not_mergeable();
  if (why.empty() && written.method->why_not_mergeable().empty())
    add(merged_errors(*model_, written, factors), "merged weights");
}

void Certifier::add(const std::vector<WeightErrors>& all, const std::string& what) {
  for (const WeightErrors& one : all) {
    const std::string type = name(one.type);
    if (one.error_bound < 0.) {
      check(what + " in " + type, "stored as " + type, "a type with a bound", false,
            "no bound is known for rounding to " + type + ", so that its tensors, as " +
                one.tensor + ", cannot be compared");
      continue;
    }
    certificate.stored.push_back({type, what, one.tensor, one.tensors, one.error, one.error_bound,
                                  one.place, one.part, one.part_bound});
    auto [measured, fresh] = measured_.try_emplace(one.type, one.error);
    if (!fresh) measured->second = std::max(measured->second, one.error);
    check(what + " in " + type, number(one.error), number(one.error_bound),
          one.error <= one.error_bound,
          "the relative error of the tensor that is furthest from the trained one, " + one.tensor);
    const bool blocks = numbers_per_scale(one.type) > 1;
    const std::string whose = what == "weights" ? "" : what == "adapter" ? "adapter's " : "merged ";
    check(whose + (blocks ? "blocks in " : "numbers in ") + type, number(one.part),
          number(one.part_bound), one.part <= one.part_bound,
          (blocks ? "the root mean square error of the block that is worst by what "
                  : "the error of the number that is worst by what ") +
              type + " can hold: " + one.place);
  }
}

void Certifier::rounded(const StoredTypes& types) {
  for (auto& [parameter, type] : types) exact_ = exact_ && type == StoredType::f32;
  if (!exact_) {
    round_at_random(*model_, types, measured_);
    certificate.rounding = difference(questions_, before_, respond(*model_, questions_, nullptr));
  }
  model_.reset();
}

void Certifier::stranger(Model& written, const ModelFiles* files, const std::string& adapter) {
  if (files && tokenizer_) compare_tokens(*files, adapter);
  else if (tokenizer_ && certificate.form == "hf")
    check("tokens", "no tokenizer", "all", false,
          "the folder has no tokenizer.json, so that others take one from elsewhere, or none");
  after_ = respond(written, questions_, &answering_);
  certificate.logits = difference(questions_, before_, after_);
  compare_logits();
  compare_answers();
}

void Certifier::compare_vocabulary(const Tokenizer& theirs) {
  // Every token by its text: what answers are written with.
  int64_t others = 0;
  const int64_t ids = std::max(theirs.size(), tokenizer_->size());
  for (int32_t id = 0; id < ids; ++id) {
    // Gaps may be filled: a GGUF file has a text for every row of the embedding.
    const std::vector<int32_t> one = {id};
    if (tokenizer_->has(id))
      others += !theirs.has(id) || theirs.decode(one) != tokenizer_->decode(one);
  }
  check("vocabulary", others == 0 ? "the same" : counted(others, "token") + " differ", "the same",
        others == 0, "the text of every token, as answers are put together from them");
}

void Certifier::compare_tokens(const ModelFiles& files, const std::string& adapter) {
  const bool own = !adapter.empty() && in_folder(adapter, "tokenizer.json");
  const Tokenizer theirs = own ? Tokenizer::from_file(adapter) : tokenizer_of(files);
  const ChatTemplate chat = ChatTemplate::choose({"", adapter}, theirs);
  int64_t same = 0, all = 0;
  auto count = [&](bool equal) {
    same += equal;
    ++all;
  };
  for (const Questions::Prompt& prompt : questions_.prompts) {
    bool equal = false;
    try {
      equal = theirs.encode(chat.text(prompt.messages, true, prompt.input)) == prompt.tokens;
    } catch (const Error& error) { certificate.notes.push_back(error.what()); }
    count(equal);
  }
  for (const std::string& text : questions_.texts)
    count(theirs.encode(text) == tokenizer_->encode(text));
  count(theirs.before_text() == tokenizer_->before_text());
  // Later turns and a system text, where the trained template takes one.
  const ChatTemplate ours = subject_.chat(*tokenizer_);
  for (bool system : {false, true}) {
    std::vector<Message> turns = {{"user", "One?"}, {"assistant", "Two."}, {"user", "Three?"}};
    if (system) turns.insert(turns.begin(), {"system", "Be brief."});
    std::string trained, written;
    try {
      trained = ours.text(turns, true);
    } catch (const Error&) { continue; }
    try {
      written = chat.text(turns, true);
    } catch (const Error& error) { certificate.notes.push_back(error.what()); }
    count(written == trained);
  }
  if (adapter.empty() || own) compare_vocabulary(theirs);
  check("tokens", std::to_string(same) + " of " + std::to_string(all) + " alike", "all",
        same == all,
        "prompts as the written template and tokenizer render them, and plain texts, have the "
        "tokens that the model was trained on");
  // Where an answer ends with an adapter is the base's to say.
  if (!adapter.empty()) return;
  const int32_t end = subject_.chat(*tokenizer_).end_of_turn();
  const std::vector<int32_t> stops = stop_tokens(files, theirs);
  const bool named = end < 0 || std::find(stops.begin(), stops.end(), end) != stops.end();
  check("end of an answer", end < 0 ? "none" : tokenizer_->token_text(end), "named as an end token",
        named && (end < 0 || chat.end_of_turn() == end),
        "other programs stop where the model was taught to end its turn");
  for (int32_t id : answering_.stop)
    if (id != end && std::find(stops.begin(), stops.end(), id) == stops.end())
      certificate.notes.push_back("the end token " + tokenizer_->token_text(id) +
                                  " of the trained model is not named in what was written");
}

void Certifier::compare_logits() {
  const LogitDifference &d = certificate.logits, &r = certificate.rounding;
  const double rms = rms_room * r.rms + rms_of_sums * std::max(d.deviation, 1.),
               kl = kl_room * r.kl + kl_of_sums;
  const std::string why = exact_ ? "sums in another order alone"
                                 : "rounding of the stored types' size, and sums in another order";
  check("logits", number(d.rms), number(rms), d.rms <= rms,
        "root mean square of the differences; the bound is " + why);
  check("distributions", number(d.kl), number(kl), d.kl <= kl,
        "mean Kullback-Leibler divergence per position, nats; the bound is " + why);
  if (certificate.has_effect && certificate.effect_kl > kl_of_sums)
    check("what was trained is there", number(d.kl), number(certificate.effect_kl / 2.),
          d.kl <= certificate.effect_kl / 2.,
          "what was written is nearer to the trained model than half of what training changed");
}

void Certifier::compare_answers() {
  for (size_t i = 0; i < before_.answers.size(); ++i) {
    const std::vector<int32_t>&a = before_.answers[i], &b = after_.answers[i];
    AnswerPair pair;
    pair.tokens = int64_t(a.size());
    pair.same = std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin();
    auto text = [&](const std::vector<int32_t>& tokens) {
      if (tokenizer_) return tokenizer_->decode(tokens);
      std::string numbers;
      for (int32_t token : tokens) numbers += (numbers.empty() ? "" : " ") + std::to_string(token);
      return numbers;
    };
    const Questions::Prompt& prompt = questions_.prompts[i];
    pair.prompt = prompt.messages.empty() ? text(prompt.tokens) : prompt.messages.back().content;
    pair.before = text(a);
    pair.after = text(b);
    certificate.answers.push_back(std::move(pair));
  }
}

void Certifier::form(const std::shared_ptr<const Gguf>& written) {
  auto source = gguf_weights(config_, written);
  auto model = build_model(config_, *source, std::make_unique<Untouched>(), {});
  const LogitDifference d = difference(questions_, respond(*model, questions_, nullptr), after_);
  const double bound = rms_of_sums * std::max(d.deviation, 1.);
  check("metadata", number(d.rms), number(bound), d.rms <= bound,
        "the file's weights compute the same by its own metadata and by the trained model's "
        "config: root mean square of the differences of logits");
}

}  // namespace afina
