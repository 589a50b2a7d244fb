// Texts and findings of rows.
#include "tools/commands/what_if_rows.h"

#include <map>

#include "data/tokenizer/utf8.h"
#include "engine/error.h"

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
  const FoundRows all = read_found(path);
  int64_t found = 0;
  for (RowEffect& row : result.rows)
    if (const auto at = all.find(row.record); at != all.end()) {
      row.found.insert(row.found.end(), at->second.begin(), at->second.end());
      found += int64_t(at->second.size());
    }
  require(found > 0 || all.empty() || result.rows.empty(), path,
          ": no finding is about a row of this table; one is about ",
          all.empty() ? "" : all.begin()->first, " and the first row is ",
          result.rows.empty() ? "" : result.rows[0].record,
          ". Check the file by the path that --data has here");
  return found;
}

}  // namespace afina
