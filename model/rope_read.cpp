// What config.json says of the rotary embedding, with the precedence of transformers 5.
#include <cmath>

#include "engine/math.h"
#include "engine/nearest.h"
#include "model/rope_table.h"
#include "model/words.h"

namespace afina {

namespace {

using Keys = std::vector<std::string>;

const std::map<std::string, Keys>& kinds() {
  static const std::map<std::string, Keys> all = {
      {"default", {}},
      {"linear", {"factor"}},
      {"dynamic", {"factor", "original_max_position_embeddings"}},
      {"llama3",
       {"factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings"}},
      {"yarn",
       {"factor", "original_max_position_embeddings", "attention_factor", "beta_fast", "beta_slow",
        "mscale", "mscale_all_dim", "truncate"}},
      {"longrope",
       {"factor", "original_max_position_embeddings", "attention_factor", "short_factor",
        "long_factor"}}};
  return all;
}

// The numbers of one object: rope_parameters, a member of it, or rope_scaling.
struct Source {
  const Json& json;
  std::string where;  // "config.json: rope_scaling"

  double number(const char* key, double otherwise, double least, double most) const {
    double value = get_or<double>(json, key, where, otherwise);
    require(value >= least && value <= most, where, ": '", key, "' is ", number_text(value),
            " where ", number_text(least), " to ", number_text(most), " is expected");
    return value;
  }
  double factor() const {
    require(find_member(json, "factor", where), where,
            ": 'factor' is missing; the scaling needs it");
    return number("factor", 1., 1., 1e6);
  }
  std::vector<double> factors(const char* key, int64_t count) const {
    std::vector<double> all = get<std::vector<double>>(json, key, where);
    require(int64_t(all.size()) == count, where, ": '", key, "' has ", all.size(),
            " numbers where ", count, " are expected, one for each pair of columns that rotate");
    for (double f : all)
      require(f > 0. && f < 1e9, where, ": '", key, "' has ", number_text(f),
              " where numbers above 0 are expected");
    return all;
  }
};

// The natural logarithm's share that YaRN gives to attention.
double mscale(double scale, double m) { return scale <= 1. ? 1. : 0.1 * m * math::log(scale) + 1.; }

double yarn_attention(const Source& from, const RopeForm& form) {
  if (find_member(from.json, "attention_factor", from.where))
    return from.number("attention_factor", 1., 1e-6, 1e6);
  double m = from.number("mscale", 0., 0., 1e6), all = from.number("mscale_all_dim", 0., 0., 1e6);
  if (m != 0. && all != 0.) return mscale(form.factor, m) / mscale(form.factor, all);
  return mscale(form.factor, 1.);
}

double longrope_attention(const Source& from, const RopeForm& form) {
  if (find_member(from.json, "attention_factor", from.where))
    return from.number("attention_factor", 1., 0., 1e6);
  if (form.factor <= 1.) return 1.;
  return std::sqrt(1. + math::log(form.factor) / math::log(double(form.original)));
}

void read_kind(RopeForm& form, const Source& from) {
  if (form.kind == "linear" || form.kind == "dynamic") form.factor = from.factor();
  if (form.kind == "llama3") {
    form.factor = from.factor();
    for (const char* key : {"low_freq_factor", "high_freq_factor"})
      require(find_member(from.json, key, from.where), from.where, ": '", key,
              "' is missing; llama3 needs it");
    form.low = from.number("low_freq_factor", 0., 1e-9, 1e9);
    form.high = from.number("high_freq_factor", 0., 1e-9, 1e9);
    require(form.high > form.low, from.where, ": high_freq_factor ", number_text(form.high),
            " should be above low_freq_factor ", number_text(form.low));
  }
  const double ratio = double(form.context) / double(form.original ? form.original : 1);
  if (form.kind == "yarn") {
    require(from.json.contains("factor"), from.where,
            ": 'factor' is missing; yarn needs it, and transformers refuses the config as well "
            "(max_position_embeddings over original_max_position_embeddings would be ",
            number_text(ratio), ")");
    form.factor = find_member(from.json, "factor", from.where) ? from.factor() : ratio;
    form.attention_factor = yarn_attention(from, form);
    auto beta = [&](const char* key, double otherwise) {
      double value = from.number(key, otherwise, 0., 1e6);
      return value == 0. ? otherwise : value;
    };
    form.beta_fast = beta("beta_fast", 32.);
    form.beta_slow = beta("beta_slow", 1.);
    form.truncate = get_or<bool>(from.json, "truncate", from.where, true);
  }
  if (form.kind == "longrope") {
    form.factor =
        find_member(from.json, "factor", from.where) ? from.number("factor", 1., 0., 1e6) : ratio;
    form.attention_factor = longrope_attention(from, form);
    form.short_factors = from.factors("short_factor", form.turned / 2);
    form.long_factors = from.factors("long_factor", form.turned / 2);
  }
}

// A base of null is no default in transformers either: there the model cannot be built.
void refuse_null_theta(const Json& json, const std::string& key, const std::string& where) {
  auto found = json.find(key);
  require(found == json.end() || !found->is_null(), where, ": '", key,
          "' is null where a number is expected; give the base of the rotary embedding, or remove "
          "the key where the model's default holds");
}

// The kind, or an Error that lists those that are known.
std::string kind_of(const Source& from) {
  std::string kind =
      get_or<std::string>(from.json, "rope_type", from.where,
                          get_or<std::string>(from.json, "type", from.where, "default"));
  if (kind == "su") kind = "longrope";  // as the first Phi-3 called it
  Keys known;
  for (auto& [name, keys] : kinds()) known.push_back(name);
  require(kinds().count(kind) > 0, from.where, ": rope_type '", kind, "' is not known",
          did_you_mean(kind, known), "; known: ", joined(known));
  return kind;
}

void refuse_unknown(const Source& from, const std::string& kind, const Keys& more) {
  Keys own = kinds().at(kind);
  own.insert(own.end(), more.begin(), more.end());
  for (auto& [key, value] : from.json.items()) {
    bool known = key == "rope_type" || key == "type" || key == "rope_theta" ||
                 key == "partial_rotary_factor" ||
                 std::find(own.begin(), own.end(), key) != own.end();
    require(known || value.is_null(), from.where, ": ", key, " = ", value.dump(),
            " is not known for rope_type '", kind, "'", did_you_mean(key, own),
            "; known beside rope_theta and partial_rotary_factor: ",
            own.empty() ? "nothing" : joined(own), "; if it changes nothing, remove it");
  }
}

struct Outer {
  double theta;
  double partial;
  int64_t original;  // 0: the config does not say
};

RopeForm form_of(const Source& from, const Outer& outer, int64_t head_dim, int64_t context,
                 bool partial_supported, const Keys& more = {}) {
  RopeForm form;
  form.kind = kind_of(from);
  refuse_unknown(from, form.kind, more);
  form.context = context;
  refuse_null_theta(from.json, "rope_theta", from.where);
  form.theta = from.number("rope_theta", outer.theta, 1., 1e12);
  double partial = from.number("partial_rotary_factor", outer.partial, 1e-6, 1.);
  require(partial_supported || partial == 1., from.where, ": partial_rotary_factor ",
          number_text(partial), " is not supported for this model_type, nor by transformers");
  form.turned = int64_t(double(head_dim) * partial);
  require(form.turned >= 2 && form.turned % 2 == 0, from.where,
          ": rotary embedding needs an even number of columns to turn, not ", form.turned,
          " (head_dim ", head_dim, ", partial_rotary_factor ", number_text(partial), ")");
  if (form.kind == "llama3" || form.kind == "yarn" || form.kind == "longrope") {
    form.original = outer.original;
    if (const char* key = "original_max_position_embeddings";
        !form.original && find_member(from.json, key, from.where))
      form.original = int64_t(from.number(key, 0., 1., double(1 << 30)));
    require(
        form.original || form.kind != "llama3", from.where,
        ": 'original_max_position_embeddings' is missing; llama3 scales frequencies by how "
        "often they turn in the length that the model was first trained with, so without it the "
        "frequencies would be wrong (Llama 3.1 and 3.2: 8192)");
    if (!form.original) form.original = context;
  }
  read_kind(form, from);
  return form;
}

// The object that counts; where nothing is said, an empty one.
Source source_of(ConfigReader& config) {
  static const Json empty = Json::object();
  const Json* scaling = config.find("rope_scaling");
  const Json* parameters = config.find("rope_parameters");
  using Named = std::pair<const Json*, const char*>;
  for (auto [found, name] : {Named(scaling, "rope_scaling"), Named(parameters, "rope_parameters")})
    require(!found || found->is_object(), config.where(), ": ", name, " should be an object, not ",
            found ? describe(*found) : "");
  if (scaling && !scaling->empty()) return {*scaling, config.where() + ": rope_scaling"};
  return {parameters ? *parameters : empty, config.where() + ": rope_parameters"};
}

}  // namespace

RopeForm read_rope(ConfigReader& config, int64_t head_dim, int64_t context,
                   const RopeDefaults& defaults) {
  Source from = source_of(config);
  if (!from.json.contains("rope_theta"))
    refuse_null_theta(config.json(), defaults.theta_key, config.where());
  Outer outer{config.number(defaults.theta_key, defaults.theta, 1., 1e12),
              config.number(defaults.partial_key, defaults.partial, 1e-6, 1.),
              config.size_or("original_max_position_embeddings", 0, 1 << 30)};
  if (!defaults.query_beta)
    return form_of(from, outer, head_dim, context, defaults.partial_supported);
  RopeForm form = form_of(from, outer, head_dim, context, defaults.partial_supported,
                          {"llama_4_scaling_beta", "max_position_embeddings"});
  form.query_beta = from.number("llama_4_scaling_beta", 0., 0., 1e3);
  require(form.query_beta == 0. || form.original > 0, from.where,
          ": llama_4_scaling_beta without original_max_position_embeddings; give the latter");
  return form;
}

LayerRopes read_layer_ropes(ConfigReader& config, int64_t head_dim, int64_t context,
                            double full_theta, double sliding_theta, const char* local_theta_key) {
  const Json* parameters = config.find("rope_parameters");
  const std::string where = config.where() + ": rope_parameters";
  Json full = Json::object(), sliding = Json::object();
  if (parameters) {
    require(parameters->is_object(), where, " should be an object, not ", describe(*parameters));
    for (auto& [key, value] : parameters->items())
      require(key == "full_attention" || key == "sliding_attention", where, ": ", key, " = ",
              value.dump(),
              " where only full_attention and sliding_attention are known; layers of "
              "the two types have rotary embeddings of their own");
    if (const Json* found = find_member(*parameters, "full_attention", where)) full = *found;
    if (const Json* found = find_member(*parameters, "sliding_attention", where)) sliding = *found;
  }
  if (const Json* scaling = config.find("rope_scaling")) {
    require(scaling->is_object(), config.where(), ": rope_scaling should be an object, not ",
            describe(*scaling));
    for (auto& [key, value] : scaling->items()) full[key] = value;
  }
  for (const Json* one : {&full, &sliding})
    require(one->is_object(), where, ": a layer type's should be an object, not ", describe(*one));
  int64_t original = config.size_or("original_max_position_embeddings", 0, 1 << 30);
  if (!full.contains("rope_theta")) refuse_null_theta(config.json(), "rope_theta", config.where());
  double outer = config.number("rope_theta", full_theta, 1., 1e12);
  double local =
      local_theta_key ? config.number(local_theta_key, sliding_theta, 1., 1e12) : sliding_theta;
  return {
      form_of({full, where + ".full_attention"}, {outer, 1., original}, head_dim, context, false),
      form_of({sliding, where + ".sliding_attention"}, {local, 1., original}, head_dim, context,
              false)};
}

}  // namespace afina
