// Rows of a file in memory, for tests of its readers.
#pragma once
#include "data/rows.h"
#include "engine/files/json.h"
#include "test/scratch.h"

namespace afina {

inline std::vector<Row> rows_of(const std::string& bytes, const std::string& name,
                                const FileOptions& options = {}) {
  std::vector<Row> rows;
  read_rows(bytes, name, name, options, [&](Row&& row) {
    row.source = {};  // valid while it is handed on
    row.unread = nullptr;
    rows.push_back(std::move(row));
    return true;
  });
  return rows;
}
// Each row as JSON text, or its problem.
inline std::vector<std::string> texts_of(const std::string& bytes, const std::string& name,
                                         const FileOptions& options = {}) {
  std::vector<std::string> texts;
  for (const Row& row : rows_of(bytes, name, options))
    texts.push_back(row.problem.empty() ? row.json.dump() : row.problem);
  return texts;
}

}  // namespace afina
