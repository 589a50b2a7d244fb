// What the folder holds, read back and added to.
#include "tools/commands/what_if_folder.h"

#include <cmath>
#include <filesystem>
#include <map>

#include "engine/files/atomic_file.h"
#include "engine/files/json.h"

namespace afina {

namespace fs = std::filesystem;

std::vector<int64_t> WhatIfFolder::table_rows(const std::vector<int64_t>& used,
                                              size_t count) const {
  std::vector<int64_t> rows;
  for (size_t i = 0; i < used.size(); ++i)
    if (i < count || fs::exists(row_file(used[i]))) rows.push_back(used[i]);
  return rows;
}

void WhatIfFolder::refuse_other_table() const {
  const std::string path = out + "/what-if.json";
  if (!fs::exists(path)) return;
  require(parse_json_file(path).contains("rows"), path,
          ": is of --without; choose another --out for --leave-one-out");
}

Estimates WhatIfFolder::read_estimates(const std::vector<int64_t>& rows, int64_t states,
                                       bool wanted, std::set<int64_t>& earlier) const {
  const std::string path = out + "/estimates.json";
  Estimates found;
  if (!fs::exists(path)) return found;
  const Json json = parse_json(read_text_file(path), path);
  const auto had = json.at("rows").get<std::vector<int64_t>>();
  std::map<int64_t, size_t> place;
  for (size_t i = 0; i < had.size(); ++i) place[had[i]] = i;
  earlier = {had.begin(), had.end()};
  for (int64_t row : rows)
    if (!place.count(row)) {
      require(!wanted || json.value("states", states) == states, path, ": was made with --states ",
              json.value("states", states), "; give the same for further rows, or --estimates off");
      return found;
    }
  found.rows = rows;
  for (const EstimateKind& kind : estimate_kinds) {
    std::vector<double> values;
    for (int64_t row : rows) {
      const Json& one = json.at(kind.name).at(place[row]);
      values.push_back(one.is_number() ? one.get<double>() : NAN);
    }
    found.values.push_back(std::move(values));
  }
  return found;
}

void WhatIfFolder::write_estimates(const Estimates& found, int64_t states) const {
  Json json = {{"rows", found.rows}, {"states", states}};
  for (size_t k = 0; k < found.values.size(); ++k) {
    Json& list = json[estimate_kinds[k].name] = Json::array();
    for (double one : found.values[k]) list.push_back(std::isfinite(one) ? Json(one) : Json());
  }
  write_text_file(out + "/estimates.json", to_text(json, 1) + "\n");
}

}  // namespace afina
