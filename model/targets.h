// Which linear layers a method adapts, and the numbers that some of them have instead of the common
// one: the options targets, exclude and such as ranks, for every method alike.
#pragma once
#include <set>

#include "model/layers.h"
#include "model/pattern.h"

namespace afina {

// The patterns of an option ("" for none): names or patterns joined by '+', or re:EXPRESSION.
std::vector<ModulePattern> module_patterns(const std::string& method, const std::string& key,
                                           const std::string& text, const std::string& file = {});

class Targets {
 public:
  // An option of exceptions, "q_proj:16+*.mlp.*:4", and the range of its numbers.
  struct Numbers {
    const char* key;
    double least, most;
    bool whole = false;
  };
  // Reads the options targets ("all", names or patterns joined by '+', or re:EXPRESSION) and
  // exclude (the same form, empty for none), and those of `numbers`. `otherwise` is the default of
  // targets.
  explicit Targets(MethodOptions& options, std::vector<Numbers> numbers = {},
                   const std::string& otherwise = "all");
  // Replaces the targets, for a default that depends on the model. The form is that of the option.
  void choose(const std::string& targets);
  // Is this layer adapted? To be asked once for each layer of the model, in order.
  bool matches(const Linear& layer);
  // The same of a layer that is trained whole: patterns that match it have found one.
  void pass_over(const Linear& layer);
  // Is the embedding or head at this path a target? `all` names the linear layers of the blocks
  // alone (names_end in model/beside.h). To be asked for each of the two that can be adapted.
  bool matches_end(const std::string& path);
  // The number that option `key` gives this layer: that of the first pattern that matches, in the
  // order given.
  double number(const std::string& key, const Linear& layer, double otherwise) const {
    return number(key, layer.path, otherwise);
  }
  double number(const std::string& key, const std::string& path, double otherwise) const;
  // Once all layers were asked for: an Error for a pattern that matched nothing. In an adapter's
  // config such a pattern is passed over, as PEFT does, unless it names the head or the embedding
  // or there is nothing else: what the adapter's file holds must have a place all the same.
  void check() const;

  // For adapter_config.json. The last words of the adapted layers' paths when they mean exactly
  // these layers, as people write it; else whole paths. Whole paths too if one word stood both for
  // a layer whose path is in `apart` and for another.
  std::vector<std::string> peft_targets(const std::set<std::string>& apart = {}) const;
  // The adapted layers whose number differs from the common one: {path: number}.
  Json peft_numbers(const std::string& key, double otherwise) const;
  // Do files hold any adapted weight as (in, out)? PEFT's fan_in_fan_out.
  bool any_transposed() const;

 private:
  struct Exceptions {
    std::string key;
    std::vector<std::pair<ModulePattern, double>> all;
  };
  const Exceptions& exceptions(const std::string& key) const;
  double number(const Exceptions& exceptions, const std::string& path, double otherwise) const;
  [[noreturn]] void unmatched(const std::string& key, const std::string& pattern) const;

  void check_file() const;
  std::vector<std::string> words() const;  // the last words of all layers' paths
  std::string method_, file_;
  bool all_ = true;
  std::vector<ModulePattern> targets_, exclude_;
  std::vector<Exceptions> exceptions_;
  std::vector<std::string> seen_;  // paths of all layers asked for
  struct Adapted {
    std::string path;
    bool transposed;
  };
  std::vector<Adapted> adapted_;
  std::set<std::string> used_;  // patterns of targets and exclude that matched
  bool passed_over_ = false;    // is a layer trained whole instead?
};

}  // namespace afina
