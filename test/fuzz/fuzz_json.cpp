// Fuzz target: text as JSON. What is accepted can be written, and read again it is the same.
#include "engine/files/json.h"
#include "test/fuzz/fuzz.h"

namespace afina {
namespace {

void run(std::string_view input) {
  Json json = parse_json(input, "input");
  Json again = parse_json(to_text(json), "written");
  if (!(again == json)) throw std::logic_error("written and read again it is another value");
  if (json.is_object()) {
    check_known_keys(json, {"hidden_size", "rope_scaling", "a", "b", "c", "e", "layers"}, "input");
    get_or<int64_t>(json, "hidden_size", "input", 1);
    get_or<std::vector<float>>(json, "layers", "input", {});
    get_or<std::string>(json, "a", "input", "");
  }
}

std::vector<std::string> seeds() {
  return {R"({"hidden_size": 576, "rope_scaling": null, "layers": [1, 2.5e-3, -7]})",
          R"({"a": "text \u00e9 \ud83d\ude00 \" \n", "b": {"c": [[], {}, [true, false]], "e": )"
          R"(18446744073709551615}})",
          R"([[[[[[{"x": [1]}]]]]]])", "\"\xc3\xb1\"", "-0.0"};
}

const FuzzTarget registered("json", run, seeds,
                            {"{", "}", "[", "]", "[[[[[[[[[[[[[[[[", "\"a\":", ",", "\\u",
                             "\\ud83d", "1e999", "-", "null", "\xff", "\xed\xa0\x80",
                             "\xef\xbb\xbf"});

}  // namespace
}  // namespace afina
