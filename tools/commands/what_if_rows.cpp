// Texts and findings of rows.
#include "tools/commands/what_if_rows.h"

#include <filesystem>
#include <map>

#include "data/tokenizer/utf8.h"
#include "engine/files/atomic_file.h"
#include "engine/files/json.h"

namespace afina {

namespace {

std::map<std::string, RowEffect*> by_place(WhatIfResult& result) {
  std::map<std::string, RowEffect*> rows;
  for (RowEffect& row : result.rows) rows[row.record] = &row;
  return rows;
}

}  // namespace

void add_texts(WhatIfResult& result, const DataOptions& data) {
  const std::map<std::string, RowEffect*> rows = by_place(result);
  for (const std::string& path : data.data) {
    ExampleOptions options = data.examples(path);
    options.keep_problems = true;
    each_example(path, options, [&](Example&& example) {
      const auto at = rows.find(example.place);
      if (at == rows.end()) return;
      RowEffect& row = *at->second;
      row.answer = valid_utf8(example.text);
      size_t last = example.messages.size();
      while (last > 0 && example.messages[last - 1].role != "assistant") --last;
      if (last == 0) return;
      row.answer = valid_utf8(example.messages[last - 1].content);
      for (size_t turn = 0; turn + 1 < last; ++turn)
        row.question += (turn ? "\n" : "") + valid_utf8(example.messages[turn].content);
    });
  }
}

int64_t add_findings(WhatIfResult& result, const std::string& path) {
  const std::string file = std::filesystem::is_directory(path) ? path + "/findings.jsonl" : path;
  const std::map<std::string, RowEffect*> rows = by_place(result);
  const std::string text = read_text_file(file);
  int64_t number = 0, found = 0;
  std::string first;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = std::string_view(text).substr(at, end - at);
    at = end + 1;
    ++number;
    if (line.find_first_not_of(" \t\r") == line.npos) continue;
    const std::string where = file + ", line " + std::to_string(number);
    const Json json = parse_json(line, where);
    const auto kind = get<std::string>(json, "check", where),
               place = get<std::string>(json, "place", where);
    std::string words = get_or<std::string>(json, "found", where, "");
    if (const auto expected = get_or<std::string>(json, "expected", where, ""); !expected.empty())
      words += "; most others: " + expected;
    if (first.empty()) first = place;
    const auto row = rows.find(place);
    if (row == rows.end()) continue;
    row->second->found.push_back({kind, words});
    ++found;
  }
  require(found > 0 || number == 0 || result.rows.empty(), file,
          ": no finding is about a row of this table; the first is about ", first,
          " and the first row is ", result.rows.empty() ? "" : result.rows[0].record,
          ". Check the file by the path that --data has here");
  return found;
}

}  // namespace afina
