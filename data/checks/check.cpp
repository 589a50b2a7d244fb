// The list of checks, which of them are asked for, and the order of what they find.
#include "data/checks/check.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

#include "engine/error.h"
#include "engine/nearest.h"
#include "engine/threads.h"

namespace afina {

namespace {

std::vector<Check>& all_checks() {
  static std::vector<Check> all;
  return all;
}

std::vector<std::string> names_in(const std::string& text) {
  std::vector<std::string> names;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(',', at), text.size());
    std::string name = text.substr(at, end - at);
    while (!name.empty() && name.front() == ' ') name.erase(0, 1);
    while (!name.empty() && name.back() == ' ') name.pop_back();
    if (!name.empty()) names.push_back(name);
    at = end + 1;
  }
  return names;
}

// Is the check one of these, by its name or its group? Unknown names are an Error.
std::vector<bool> marked(const std::string& option, const std::string& text) {
  std::vector<bool> found(checks().size(), false);
  for (const std::string& name : names_in(text)) {
    bool known = false;
    std::vector<std::string> names;
    for (size_t i = 0; i < checks().size(); ++i) {
      const Check& check = checks()[i];
      names.push_back(check.name);
      if (std::find(names.begin(), names.end(), check.group) == names.end())
        names.push_back(check.group);
      if (check.name != name && check.group != name) continue;
      found[i] = true;
      known = true;
    }
    require(known, option, " ", name, ": there is no such check or group",
            did_you_mean(name, names), "; 'afina check --list' lists them");
  }
  return found;
}

}  // namespace

const char* word_of_severity(Severity severity) {
  return severity == Severity::error ? "error" : severity == Severity::warning ? "warning" : "note";
}

RegisterCheck::RegisterCheck(Check check) {
  auto place = std::find_if(all_checks().begin(), all_checks().end(),
                            [&](auto& other) { return other.name > check.name; });
  all_checks().insert(place, std::move(check));
}

const std::vector<Check>& checks() { return all_checks(); }

std::vector<const Check*> chosen_checks(const std::string& only, const std::string& skip) {
  const std::vector<bool> wanted = marked("--only", only), left_out = marked("--skip", skip);
  std::vector<const Check*> chosen;
  for (size_t i = 0; i < checks().size(); ++i)
    if ((only.empty() || wanted[i]) && !left_out[i]) chosen.push_back(&checks()[i]);
  require(!chosen.empty(), "--skip leaves no check to run");
  return chosen;
}

void sort_findings(std::vector<Finding>& findings) {
  // Numbers are sorted, as a stable sort of findings would take room for half of them again.
  std::vector<uint32_t> order(findings.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [&](uint32_t one, uint32_t other) {
    const Finding &a = findings[one], &b = findings[other];
    if (a.check->severity != b.check->severity) return a.check->severity > b.check->severity;
    if (a.score != b.score) return a.score > b.score;
    if (a.places[0].record != b.places[0].record) return a.places[0].record < b.places[0].record;
    return one < other;
  });
  // Each circle of places takes over from the next one; done is what has its own number.
  for (uint32_t start = 0; start < order.size(); ++start) {
    if (order[start] == start) continue;
    Finding first = std::move(findings[start]);
    uint32_t at = start;
    for (; order[at] != start; at = std::exchange(order[at], at))
      findings[at] = std::move(findings[order[at]]);
    findings[at] = std::move(first);
    order[at] = at;
  }
}

std::string packed(const std::vector<Finding>& findings) {
  std::string bytes;
  auto put = [&](const void* data, size_t size) {
    bytes.append(static_cast<const char*>(data), size);
  };
  auto put_text = [&](const std::string& text) {
    const uint32_t size = uint32_t(text.size());
    put(&size, sizeof size);
    bytes += text;
  };
  for (const Finding& finding : findings) {
    const uint32_t places = uint32_t(finding.places.size());
    put(&finding.score, sizeof finding.score);
    put(&places, sizeof places);
    put(finding.places.data(), places * sizeof(PiecePlace));
    put_text(finding.found);
    put_text(finding.expected);
  }
  bytes.shrink_to_fit();
  return bytes;
}

void unpack(std::string_view bytes, std::vector<Finding>& out) {
  auto take = [&](void* data, size_t size) {
    if (size > 0) std::memcpy(data, bytes.data(), size);
    bytes.remove_prefix(size);
  };
  auto take_text = [&](std::string& text) {
    uint32_t size = 0;
    take(&size, sizeof size);
    text = bytes.substr(0, size);
    bytes.remove_prefix(size);
  };
  while (!bytes.empty()) {
    Finding& finding = out.emplace_back();
    uint32_t places = 0;
    take(&finding.score, sizeof finding.score);
    take(&places, sizeof places);
    finding.places.resize(places);
    take(finding.places.data(), places * sizeof(PiecePlace));
    take_text(finding.found);
    take_text(finding.expected);
  }
}

std::vector<Finding> run_checks(const Corpus& corpus, const std::vector<const Check*>& chosen) {
  std::vector<std::string> found(chosen.size());
  std::vector<size_t> counts(chosen.size(), 0);
  std::vector<std::string> failed(chosen.size());
  std::vector<size_t> order(chosen.size());
  std::iota(order.begin(), order.end(), size_t(0));
  std::stable_partition(order.begin(), order.end(), [&](size_t i) { return chosen[i]->first; });
  parallel_for(int64_t(chosen.size()), 1, [&](int64_t begin, int64_t end) {
    for (int64_t at = begin; at < end; ++at) {
      const size_t i = order[size_t(at)];
      if (!chosen[i]->run) continue;
      try {
        std::vector<Finding> own;
        chosen[i]->run(corpus, own);
        counts[i] = own.size();
        found[i] = packed(own);
      } catch (const std::exception& error) { failed[i] = chosen[i]->name + ": " + error.what(); }
    }
  });
  for (const std::string& error : failed) require(error.empty(), error);
  corpus.forget_shared();
  std::vector<Finding> all;
  all.reserve(std::accumulate(counts.begin(), counts.end(), size_t(0)));
  for (size_t i = 0; i < chosen.size(); ++i) {
    const size_t before = all.size();
    unpack(found[i], all);
    for (size_t k = before; k < all.size(); ++k) all[k].check = chosen[i];
    std::string().swap(found[i]);  // many findings are a good part of all memory
  }
  sort_findings(all);
  return all;
}

}  // namespace afina
