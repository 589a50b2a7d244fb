// Reads the post-processor of a tokenizer.json: the tokens added before and after every text.
#include "data/tokenizer/state.h"
#include "engine/error.h"

namespace afina {

namespace {

using State = Tokenizer::State;

// One post-processor after another: each puts its tokens around what there is already.
void put_around(State& state, const std::vector<int32_t>& first, const std::vector<int32_t>& last,
                const std::string& where) {
  for (auto* side : {&first, &last})
    for (int32_t id : *side)
      require(id >= 0 && size_t(id) < state.known.size() && state.known[size_t(id)], where,
              ": the id ", id, " is no token of the vocabulary");
  state.before.insert(state.before.begin(), first.begin(), first.end());
  state.after.insert(state.after.end(), last.begin(), last.end());
  require(state.before.size() + state.after.size() <= 4096, where,
          ": more than 4096 tokens are put around a text");
}

void read_template(State& state, const Json& json, const std::string& where) {
  // The ids stand in the post-processor itself and count, whatever the vocabulary says.
  const Json* special = find_member(json, "special_tokens", where);
  bool before = true;
  std::vector<int32_t> first, last;
  for (auto& piece : member(json, "single", where)) {
    if (!piece.contains("SpecialToken")) {
      require(before, where, ": the text stands more than once in it");
      before = false;
      continue;
    }
    auto token = get<std::string>(member(piece, "SpecialToken", where), "id", where);
    std::vector<int32_t> ids;
    if (const Json* entry = special ? find_member(*special, token, where) : nullptr) {
      ids = get<std::vector<int32_t>>(*entry, "ids", where);
    } else {
      auto found = state.ids.find(token);
      require(found != state.ids.end(), where, ": the token \"", token,
              "\" is not in the vocabulary");
      ids = {found->second};
    }
    auto& side = before ? first : last;
    side.insert(side.end(), ids.begin(), ids.end());
  }
  put_around(state, first, last, where);
}

// {"cls": ["<s>", 0], ...}
int32_t id_of_pair(const Json& json, const char* key, const std::string& where) {
  const Json& pair = member(json, key, where);
  if (!pair.is_array() || pair.size() != 2 || !pair[1].is_number_integer())
    fail(where, ": ", key, ": expected [token, id], found ", describe(pair));
  const int64_t id = pair[1].get<int64_t>();
  require(id >= 0 && id < INT32_MAX, where, ": ", key, ": the id is ", id);
  return int32_t(id);
}

void read(State& state, const Json& json, const std::string& where) {
  auto type = get<std::string>(json, "type", where);
  if (type == "ByteLevel") return;  // only trims offsets, which afina's need not do
  if (type == "Sequence") {
    for (auto& one : member(json, "processors", where)) read(state, one, where);
  } else if (type == "BertProcessing" || type == "RobertaProcessing") {
    put_around(state, {id_of_pair(json, "cls", where)}, {id_of_pair(json, "sep", where)}, where);
  } else {
    require(type == "TemplateProcessing", where, ": the post-processor \"", type,
            "\" is not supported; known are TemplateProcessing, BertProcessing, "
            "RobertaProcessing, ByteLevel and Sequence");
    read_template(state, json, where);
  }
}

}  // namespace

void read_post_processor(Tokenizer::State& state, const Json& json, const std::string& where) {
  read(state, json, where);
  if (state.before.size() == 1) state.bos = state.before[0];
  if (state.after.size() == 1) state.eos = state.after[0];
}

}  // namespace afina
