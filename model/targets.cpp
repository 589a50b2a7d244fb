// Targets of methods: options read, layers matched, patterns that matched nothing named.
#include "model/targets.h"

#include <algorithm>

#include "engine/nearest.h"
#include "model/peft.h"
#include "model/words.h"

namespace afina {

namespace {

std::string last_word(const std::string& path) { return path.substr(path.rfind('.') + 1); }

}  // namespace

std::vector<ModulePattern> module_patterns(const std::string& method, const std::string& key,
                                           const std::string& text, const std::string& file) {
  std::vector<ModulePattern> all;
  if (text.starts_with("re:")) {
    all.emplace_back(text);  // '+' means something else in an expression
    return all;
  }
  MethodOptions options(method, {{key, text}}, file);
  for (const std::string& item : options.list(key, "")) all.emplace_back(item);
  return all;
}

Targets::Targets(MethodOptions& options, std::vector<Numbers> numbers, const std::string& otherwise)
    : method_(options.method()), file_(options.file()) {
  choose(options.text("targets", otherwise));
  exclude_ = module_patterns(method_, "exclude", options.text("exclude", ""), file_);
  for (const Numbers& n : numbers) {
    Exceptions exceptions{n.key, {}};
    for (const std::string& item : options.list(n.key, "")) {
      size_t colon = item.rfind(':');
      require(colon != item.npos, option_label(method_, file_, n.key), ": '", item,
              "' where layer:number is expected, as in q_proj:16");
      MethodOptions one(method_, {{n.key, item.substr(colon + 1)}}, file_);
      exceptions.all.emplace_back(
          ModulePattern(item.substr(0, colon)),
          n.whole ? double(one.integer(n.key, 0, int64_t(n.least), int64_t(n.most)))
                  : one.number(n.key, 0., n.least, n.most));
    }
    exceptions_.push_back(std::move(exceptions));
  }
}

void Targets::choose(const std::string& targets) {
  all_ = targets == "all";
  targets_.clear();
  if (!all_) targets_ = module_patterns(method_, "targets", targets, file_);
}

bool Targets::matches(const Linear& layer) {
  seen_.push_back(layer.path);
  auto any = [&](const std::vector<ModulePattern>& patterns) {
    bool found = false;
    for (const ModulePattern& pattern : patterns) {
      if (!pattern.matches(layer.path)) continue;
      found = true;
      used_.insert(pattern.text());
    }
    return found;
  };
  bool wanted = any(targets_) || all_;
  if (any(exclude_) || !wanted) return false;
  adapted_.push_back({layer.path, layer.stored_transposed});
  return true;
}

void Targets::pass_over(const Linear& layer) {
  passed_over_ = true;
  for (const auto* patterns : {&targets_, &exclude_})
    for (const ModulePattern& pattern : *patterns)
      if (pattern.matches(layer.path)) used_.insert(pattern.text());
}

bool Targets::matches_end(const std::string& path) {
  auto any = [&](const std::vector<ModulePattern>& patterns) {
    bool found = false;
    for (const ModulePattern& pattern : patterns) {
      if (!names_end(pattern, path)) continue;
      found = true;
      used_.insert(pattern.text());
    }
    return found;
  };
  const bool wanted = any(targets_);
  if (any(exclude_) || !wanted) return false;
  seen_.push_back(path);
  adapted_.push_back({path, false});
  return true;
}

const Targets::Exceptions& Targets::exceptions(const std::string& key) const {
  auto found = std::find_if(exceptions_.begin(), exceptions_.end(),
                            [&](const Exceptions& e) { return e.key == key; });
  require(found != exceptions_.end(), "method '", method_, "' has no exceptions called '", key,
          "'");
  return *found;
}
double Targets::number(const Exceptions& exceptions, const std::string& path,
                       double otherwise) const {
  const bool end = is_embedding(path) || is_head(path);
  for (auto& [pattern, value] : exceptions.all)
    if (end ? names_end(pattern, path) : pattern.matches(path)) return value;
  return otherwise;
}
double Targets::number(const std::string& key, const std::string& path, double otherwise) const {
  return number(exceptions(key), path, otherwise);
}

std::vector<std::string> Targets::words() const {
  std::set<std::string> all;
  for (const std::string& path : seen_) all.insert(last_word(path));
  return {all.begin(), all.end()};
}

void Targets::unmatched(const std::string& key, const std::string& pattern) const {
  const std::vector<std::string> known = words();
  fail("method '", method_, "': ", key, ": '", pattern, "' matches no ",
       key == "targets" || key == "exclude" ? "linear" : "adapted", " layer of the model",
       did_you_mean(pattern, known), "; it has ", joined(known), ", with paths like ",
       seen_.empty() ? "(none)" : seen_[0]);
}

void Targets::check_file() const {
  const std::string label = option_label(method_, file_, "targets");
  std::vector<std::string> idle;
  for (const ModulePattern& target : targets_) {
    if (used_.count(target.text())) continue;
    idle.push_back("'" + target.text() + "'");
    for (const char* place : {"lm_head", "model.embed_tokens", "transformer.wte"})
      require(!target.matches(place), label, ": '", target.text(), "' is the model's ",
              place == std::string("lm_head") ? "head" : "embedding",
              ", and of afina's methods only lora adapts these. Merge the adapter with PEFT "
              "(merge_and_unload, save_pretrained) and use the merged folder");
  }
  require(!adapted_.empty(), label, ": ", idle.empty() ? "what is excluded" : joined(idle),
          idle.empty() ? " leaves no linear layer" : " matches no linear layer",
          " of this model, which has ", joined(words()),
          "; the adapter may be one of another model");
}

void Targets::check() const {
  if (!file_.empty()) return check_file();
  for (const ModulePattern& target : targets_)
    if (!used_.count(target.text())) unmatched("targets", target.text());
  for (const ModulePattern& pattern : exclude_)
    if (!used_.count(pattern.text())) unmatched("exclude", pattern.text());
  require(!adapted_.empty(), "method '", method_,
          "': ", passed_over_ ? "save and exclude leave" : "exclude leaves", " no layer to adapt",
          passed_over_ ? "; modules that are saved are trained whole and get no adapter" : "");
  for (const Exceptions& exceptions : exceptions_)
    for (auto& exception : exceptions.all) {
      const ModulePattern& pattern = exception.first;
      if (std::none_of(adapted_.begin(), adapted_.end(), [&](const Adapted& layer) {
            return pattern.matches(layer.path) || names_end(pattern, layer.path);
          }))
        unmatched(exceptions.key, pattern.text());
    }
}

std::vector<std::string> Targets::peft_targets(const std::set<std::string>& apart) const {
  std::set<std::string> words, paths, words_apart, others;
  for (const Adapted& layer : adapted_) {
    words.insert(last_word(layer.path));
    paths.insert(layer.path);
    (apart.count(layer.path) ? words_apart : others).insert(last_word(layer.path));
  }
  bool exact = std::all_of(seen_.begin(), seen_.end(), [&](const std::string& path) {
    return !words.count(last_word(path)) || paths.count(path);
  });
  for (const std::string& word : words_apart) exact = exact && !others.count(word);
  const std::set<std::string>& chosen = exact ? words : paths;
  return {chosen.begin(), chosen.end()};
}

Json Targets::peft_numbers(const std::string& key, double otherwise) const {
  Json all = Json::object();
  for (const Adapted& layer : adapted_) {
    double own = number(key, layer.path, otherwise);
    if (own != otherwise) all[layer.path] = plain_number(own);
  }
  return all;
}

bool Targets::any_transposed() const {
  return std::any_of(adapted_.begin(), adapted_.end(),
                     [](const Adapted& layer) { return layer.transposed; });
}

}  // namespace afina
