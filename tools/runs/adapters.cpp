// Reading --adapter, and loading what it names.
#include "tools/runs/adapters.h"

#include <charconv>
#include <cmath>
#include <filesystem>
#include <set>

#include "data/tokenizer/template_files.h"
#include "engine/nearest.h"
#include "model/combine.h"
#include "model/files/save.h"
#include "model/words.h"

namespace afina {

namespace {

namespace fs = std::filesystem;

bool is_folder(const std::string& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

// The number behind the last ':' of the text, if it is one.
bool ends_in_weight(const std::string& text, size_t& colon, double& weight) {
  colon = text.rfind(':');
  if (colon == text.npos || colon == 0) return false;
  const char *from = text.data() + colon + 1, *to = text.data() + text.size();
  auto [end, error] = std::from_chars(from, to, weight);
  return error == std::errc() && end == to && from != to;
}

std::string name_of(const std::string& path) {
  fs::path whole = fs::absolute(path).lexically_normal();
  if (!whole.has_filename()) whole = whole.parent_path();
  const std::string last = whole.filename().string(),
                    around = whole.parent_path().filename().string();
  return (last == "adapter" || last == "model") && !around.empty() ? around : last;
}

// The parts of a sum; empty: the text is none.
std::vector<AdapterChoice::Part> parts_of(const std::string& text) {
  std::vector<AdapterChoice::Part> parts;
  size_t begin = 0;
  for (size_t plus = text.find('+');; plus = text.find('+', plus + 1)) {
    const std::string part = text.substr(begin, plus == text.npos ? text.npos : plus - begin);
    size_t colon = 0;
    double weight = 0.;
    if (ends_in_weight(part, colon, weight)) {
      parts.push_back({part.substr(0, colon), weight});
      begin = plus + 1;
    } else if (plus == text.npos) {
      return {};
    }
    if (plus == text.npos) return parts;
  }
}

}  // namespace

AdapterChoice adapter_choice(const std::string& text) {
  AdapterChoice choice;
  auto refuse = [&](const std::string& why) { throw UsageError("--adapter " + text + ": " + why); };
  if (text.empty()) refuse("the name of a folder is expected, and it is empty");
  std::string rest = text;
  const size_t equals = text.find('=');
  if (!is_folder(text) && equals != text.npos &&
      text.substr(0, equals).find_first_of("/:+") == text.npos) {
    choice.name = text.substr(0, equals);
    rest = text.substr(equals + 1);
    if (choice.name.empty() || rest.empty()) refuse("expected NAME=FOLDER");
  }
  if (!is_folder(rest)) choice.parts = parts_of(rest);
  choice.combined = !choice.parts.empty();
  if (!choice.combined) {
    if (!is_folder(rest) && rest.find('+') != rest.npos)
      refuse(
          "there is no such folder; a sum of adapters has a weight behind each, as in "
          "FOLDER:0.5+FOLDER:0.5");
    choice.parts = {{rest, 1.}};
  }
  std::set<std::string> seen;
  std::string names;
  for (const AdapterChoice::Part& part : choice.parts) {
    if (!std::isfinite(float(part.weight)))
      refuse("the weight " + number_text(part.weight) + " is no number of f32");
    if (part.weight == 0.)
      refuse("a weight of 0 leaves nothing of " + part.path + "; leave it out");
    std::error_code ignored;
    if (!seen.insert(fs::weakly_canonical(part.path, ignored).string()).second)
      refuse(part.path + " is named twice; give it once, with the sum of the weights");
    const size_t behind = part.path.rfind(':');
    if (!choice.combined && behind != part.path.npos && is_folder(part.path.substr(0, behind)) &&
        !is_folder(part.path))
      refuse("'" + part.path.substr(behind + 1) + "' is no weight; expected a number behind ':'");
    names += (names.empty() ? "" : "+") + name_of(part.path);
    if (choice.combined) names += ":" + number_text(part.weight);
  }
  if (choice.name.empty()) choice.name = names;
  if (choice.name == "." || choice.name == "..") refuse("'" + choice.name + "' is no name");
  return choice;
}

std::vector<AdapterChoice> adapter_choices(const std::vector<std::string>& texts) {
  std::vector<AdapterChoice> all;
  std::set<std::string> names;
  for (const std::string& text : texts) {
    all.push_back(adapter_choice(text));
    const std::string& name = all.back().name;
    if (name == LiveAdapters::none && (texts.size() > 1 || all.back().combined))
      throw UsageError("--adapter " + text + ": '" + name +
                       "' is what the model without an adapter is called; give another name, as in "
                       "NAME=FOLDER");
    if (!names.insert(name).second)
      throw UsageError("--adapter " + text + ": a second adapter of the name '" + name +
                       "'; give one of them another, as in NAME=FOLDER");
  }
  return all;
}

std::string template_folder(const AdapterChoice& choice) {
  auto text_of = [](const std::string& folder) {
    std::string all;
    for (const NamedTemplate& one : templates_of_folder(folder))
      all += one.name + "\n" + one.text + "\n";
    return all;
  };
  const std::string& first = choice.parts[0].path;
  const std::string expected = text_of(first);
  for (const AdapterChoice::Part& part : choice.parts)
    require(text_of(part.path) == expected, part.path, ": was trained with another chat template ",
            "than ", first, ", so that a sum of the two has none of its own; copy one of their ",
            "chat_template.jinja into both folders, or remove both");
  return expected.empty() ? "" : first;
}

std::unique_ptr<Model> load_beside(const Model& base, const AdapterChoice& choice) {
  if (!choice.combined) {
    const AdapterFiles adapter = load_adapter(choice.parts[0].path);
    std::unique_ptr<Model> model = built_beside(base, make_method(adapter.method));
    adapter.apply(*model);
    return model;
  }
  CombinedLora sum(base);
  for (const AdapterChoice::Part& part : choice.parts) {
    const AdapterFiles adapter = load_adapter(part.path);
    sum.add(part.path, adapter.method, part.weight, [&](Model& model) { adapter.apply(model); });
  }
  return sum.build();
}

std::unique_ptr<LiveAdapters> load_live(ModelFiles& files,
                                        const std::vector<AdapterChoice>& choices, Dtype dtype,
                                        Device device, const BaseStorage& base) {
  auto live = std::make_unique<LiveAdapters>(load_model(files, "", dtype, device, base));
  for (const AdapterChoice& choice : choices)
    live->add(choice.name, load_beside(live->base(), choice));
  return live;
}

OpenedModels::OpenedModels(ModelFiles& files, const LiveOptions& options, bool always_live)
    : files_(files),
      choices_(adapter_choices(options.adapters)),
      dtype_(matrix_dtype(options.dtype)),
      device_(usable_device(options.device)),
      storage_(options.storage()),
      live_wanted_(!choices_.empty() &&
                   (always_live || choices_.size() > 1 || choices_[0].combined)) {
  for (const AdapterChoice& choice : choices_)
    adapters_.push_back(
        {choice.name, live_wanted_ ? template_folder(choice) : choice.parts[0].path});
  if (choices_.empty()) adapters_.push_back(base_);
}

const OpenedModels::Opened& OpenedModels::find(const std::string& name) const {
  std::vector<std::string> known;
  if (live_wanted_) known.push_back(base_.name);
  for (const Opened& one : adapters_) {
    if (one.name == name) return one;
    known.push_back(one.name);
  }
  if (live_wanted_ && name == base_.name) return base_;
  throw UsageError("there is no adapter of the name '" + name + "'" + did_you_mean(name, known) +
                   "; there are: " + joined(known));
}

std::vector<std::string> OpenedModels::notes() const {
  std::vector<std::string> all;
  for (const AdapterChoice& choice : choices_)
    for (const AdapterChoice::Part& part : choice.parts)
      if (std::string note = over_another_base(part.path, storage_); !note.empty())
        all.push_back(std::move(note));
  return all;
}

Model& OpenedModels::use(const Opened& opened) {
  if (!live_wanted_) {
    if (!single_)
      single_ = load_model(files_, choices_.empty() ? "" : choices_[0].parts[0].path, dtype_,
                           device_, storage_);
    return *single_;
  }
  if (!live_) live_ = load_live(files_, choices_, dtype_, device_, storage_);
  live_->activate(opened.name);
  return live_->active_model();
}

}  // namespace afina
