// What of the pretrained model is trained beside an adapter, whatever the method: whole modules
// (PEFT's modules_to_save), biases (its bias), and rows of the embedding (trainable_token_indices).
#pragma once
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/files/json.h"
#include "model/pattern.h"

namespace afina {

struct Linear;
struct Method;
struct ModelConfig;
struct Parameter;
class MethodOptions;
class PeftConfig;
class Scope;

// Does the path end in a name that architectures give their embedding, or a head of its own?
bool is_embedding(const std::string& path);
bool is_head(const std::string& path);
// Does the pattern name this embedding or head: by `embedding` or `head`, by a name or expression
// that matches its path? A pattern with '*' must spell the last word of the path, so that those
// which are meant for the blocks leave the two ends alone.
bool names_end(const ModulePattern& pattern, const std::string& path);

// The help text of the options that Beside reads.
extern const char* const beside_options;

// Which rows of the embedding are trained, and where.
enum class TokensAt : uint8_t { both, embedding, head };

class Beside {
 public:
  Beside() = default;
  // Takes the options `save`, `tie`, `bias`, `tokens` (or `trainable_token_indices`) and
  // `tokens_at`, as far as they were given and are none of the method's own. An Error for values
  // that cannot be.
  explicit Beside(MethodOptions& options);
  // Is anything trained beside the adapter?
  bool any() const {
    return !save_.empty() || bias_ != "none" || !tokens_.empty() || !word_.empty();
  }

  // Called first, before any layer is built.
  void begin(const ModelConfig& config);
  // Is a weight of the pretrained model trained as part of a whole module or as a bias?
  bool trains(const std::string& name) const;
  // Is this module trained as a whole, by itself or as a part? Such a layer gets no adapter.
  bool whole(const std::string& path) const;
  // Do embedding and head of a tied model stay one where one of them is trained as a whole? If not,
  // each is a copy of its own, as in PEFT without ensure_weight_tying.
  bool tie() const { return tie_; }
  // Called for every linear layer when it stands: trains its bias if those of adapted layers are.
  void built(Linear& layer);
  // The tokens whose rows are trained, in the order given, and where; empty: none.
  const std::vector<int32_t>& tokens() const { return tokens_; }
  TokensAt tokens_at() const { return tokens_at_; }
  // The rows' parameter of the embedding or head at this place. other: a second name in files.
  Parameter& rows(const Scope& at, const Parameter& table, const std::string& other = {});
  // The weight `name` stands in files under `other` as well.
  void also(const std::string& name, const std::string& other) { also_[name] = other; }
  // Called when the model stands: an Error for what matched nothing.
  void check(const Scope& model) const;

  // Puts what PEFT's config of this type can say into it. False: it cannot say all.
  bool write(Json& config) const;
  // The options that the keys of adapter_config.json mean, which count as understood.
  static std::map<std::string, std::string> from_peft(PeftConfig& config);
  // The names that a parameter which is stored with an adapter has in its file: one that counts,
  // and those that repeat it.
  static std::vector<std::string> names(const Method& method, const Parameter& parameter);

 private:
  std::string method_, file_, save_text_;
  std::vector<ModulePattern> save_;
  bool tie_ = false, tied_ = false;  // asked for; the model's config
  std::string bias_ = "none";        // none, all, or as PEFT has it: lora_only
  std::vector<int32_t> tokens_;
  std::string word_;  // a token that was given by its text: only who has a tokenizer can number it
  TokensAt tokens_at_ = TokensAt::both;
  bool tokens_alone_ = false;      // of the method that trains nothing else
  std::set<std::string> adapted_;  // paths of linear layers with an adapter
  std::map<std::string, std::string> also_;
  std::vector<std::string> tables_;      // paths where rows are trained
  mutable std::set<std::string> whole_;  // modules that a pattern named
  mutable std::set<std::string> used_;   // patterns that named one
  mutable bool any_bias_ = false;
};

}  // namespace afina
