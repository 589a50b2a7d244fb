// Reading learning rates and writing labels.
#include "tools/runs/rates.h"

#include <cctype>

#include <algorithm>
#include <sstream>

#include "engine/error.h"
#include "model/method.h"
#include "tools/text/format.h"

namespace afina {

std::string label_of(const MethodSpec& spec) {
  if (!spec.label.empty()) return spec.label;
  auto known = methods().find(spec.name);
  const bool named = known != methods().end() && !known->second.card.label.empty();
  std::string text = named ? known->second.card.label : spec.name;
  // What a method is known by stands first: "LoRA r 16", "prefix tuning 20 tokens".
  auto add = [&](const std::string& key, const std::string& value, bool first) {
    text += first ? " " : ", ";
    if (value == "true") text += key;
    else if (key == "tokens") text += value + " tokens";
    else text += (key == "rank" ? "r" : key) + " " + value;
  };
  bool first = true;
  for (const char* before : {"rank", "tokens", "alpha"})
    if (auto given = spec.options.find(before); given != spec.options.end()) {
      add(before, given->second, first);
      first = false;
    }
  for (auto& [key, value] : spec.options) {
    if (key == "rank" || key == "tokens" || key == "alpha") continue;
    add(key, value, false);
  }
  return text;
}

std::string key_of(const MethodSpec& spec) {
  std::string text = spec.name;
  for (auto& [key, value] : spec.options) text += " " + key + "=" + value;
  return text;
}

std::vector<double> take_rates(MethodSpec& spec, double otherwise) {
  auto given = spec.options.find("lr");
  if (given == spec.options.end()) {
    auto known = methods().find(spec.name);
    const double rate = known == methods().end() ? 1e-4 : known->second.card.rate;
    auto written = [](double one) { return format_learning_rate(one); };
    require(otherwise > 0., "no learning rate for '", spec.text,
            "': give --lr, or lr inside the method, as in --method ", spec.name,
            ":lr=", written(rate), " (or lr=", written(rate / 2), "/", written(rate), "/",
            written(rate * 2), " to search)");
    return {otherwise};
  }
  std::vector<double> rates;
  std::istringstream parts(given->second);
  for (std::string part; std::getline(parts, part, '/');) {
    size_t used = 0;
    double rate = 0;
    try {
      rate = std::stod(part, &used);
    } catch (const std::exception&) {}
    require(used == part.size() && rate > 0. && rate < 1e3, "method '", spec.text, "': lr '", part,
            "' is not a positive number below 1000");
    require(std::find(rates.begin(), rates.end(), rate) == rates.end(), "method '", spec.text,
            "': lr ", part, " is there twice; name each rate once");
    rates.push_back(rate);
  }
  spec.options.erase(given);
  return rates;
}

std::string folder_of(const MethodSpec& spec) {
  std::string text = spec.name;
  for (auto& [key, value] : spec.options) text += "-" + key + value;
  for (char& c : text)
    if (!isalnum(static_cast<unsigned char>(c)) && c != '-' && c != '.') c = '_';
  return text;
}

}  // namespace afina
