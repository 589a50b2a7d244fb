// The safe repairs: exact duplicates left out, terms replaced by a glossary that the user confirms.
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>
#include <set>

#include "data/checks/record_words.h"
#include "data/tokenizer/utf8.h"
#include "engine/error.h"
#include "engine/files/atomic_file.h"
#include "engine/files/json.h"
#include "tools/checks/findings.h"

namespace afina {

namespace {

std::string trimmed(const std::string& text) {
  const size_t first = text.find_first_not_of(" \t\r");
  if (first == text.npos) return "";
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

// Texts that are one of the record's answers, with the terms replaced.
void replace_in(OrderedJson& json, const std::set<std::string>& answers,
                const std::vector<Term>& terms, int64_t& count) {
  if (json.is_string()) {
    if (!answers.count(json.text())) return;
    std::string changed = with_terms(json.text(), terms);
    if (changed == json.text()) return;
    ++count;
    json = OrderedJson(std::move(changed));
  } else if (json.is_array()) {
    for (OrderedJson& one : json.elements()) replace_in(one, answers, terms, count);
  } else if (json.is_object()) {
    for (auto& member : json.items()) replace_in(member.value(), answers, terms, count);
  }
}

// The record as a line of JSON. Where its file has it as one, all but the answers stays as it is,
// digits of numbers and blanks included.
std::string repaired(const Row& row, const std::set<std::string>& answers,
                     const std::vector<Term>& terms, int64_t& count) {
  std::string line(row.source);
  if (!line.empty() && line.find('\n') == line.npos) {
    bool all = true;
    int64_t replaced = 0;
    for (const std::string& answer : answers) {
      const std::string changed = with_terms(answer, terms);
      if (changed == answer) continue;
      const std::string quoted = Json(answer).dump();
      const size_t at = line.find(quoted);
      all &= at != line.npos;
      if (at == line.npos) continue;
      line.replace(at, quoted.size(), Json(changed).dump());
      ++replaced;
    }
    if (all) {
      count += replaced;
      return line;
    }
  }
  OrderedJson json = row.source.empty() ? OrderedJson(row.json) : OrderedJson::parse(row.source);
  replace_in(json, answers, terms, count);
  return json.dump();
}

}  // namespace

std::vector<Term> read_glossary(const std::string& path) {
  std::vector<Term> terms;
  const std::string text = read_text_file(path);
  int64_t number = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    std::string line = text.substr(at, end - at);
    at = end + 1;
    ++number;
    if (const size_t comment = line.find('#'); comment != line.npos) line.resize(comment);
    line = trimmed(line);
    if (line.empty()) continue;
    const size_t arrow = line.find("->");
    require(arrow != line.npos, path, ", line ", number,
            ": expected FOUND -> EXPECTED, as in package -> parcel; found '", line, "'");
    Term term{trimmed(line.substr(0, arrow)), trimmed(line.substr(arrow + 2))};
    require(!term.from.empty() && !term.to.empty(), path, ", line ", number,
            ": expected a word on either side of ->");
    require(term.to.find("->") == term.to.npos && is_utf8(line), path, ", line ", number,
            ": expected FOUND -> EXPECTED in UTF-8, once on a line; found '", valid_utf8(line),
            "'");
    for (const Term& other : terms)
      require(other.from != term.from && other.from != term.to && other.to != term.from, path,
              ", line ", number, ": '", line, "' and '", other.from, " -> ", other.to,
              "' disagree about one word; keep one of them");
    terms.push_back(std::move(term));
  }
  return terms;
}

std::string proposed_glossary(const std::vector<Finding>& findings) {
  std::map<std::pair<std::string, std::string>, int64_t> terms;
  for (const Finding& finding : findings)
    if (finding.check->name == "term")
      ++terms[{lower_text(finding.found), lower_text(finding.expected)}];
  std::string out =
      "# Terms for 'afina check --fix'. Take the # away from the lines that are right.\n";
  for (auto& [term, count] : terms)
    out += "# " + term.first + " -> " + term.second + "    # " + std::to_string(count) + " times\n";
  return terms.empty() ? "" : out;
}

std::string with_terms(const std::string& text, const std::vector<Term>& terms) {
  std::string out = text;
  for (const Term& term : terms) {
    std::vector<Word> wanted, words;
    split_words(term.from, wanted);
    if (wanted.empty()) continue;
    split_words(out, words);
    std::string changed;
    size_t done = 0;
    for (size_t i = 0; i + wanted.size() <= words.size(); ++i) {
      bool same = true;
      std::string plural;
      for (size_t k = 0; k < wanted.size(); ++k) {
        const Word& word = words[i + k];
        if (word.id == wanted[k].id) continue;
        const std::string low = lower_text(out.substr(word.begin, word.end - word.begin));
        const std::string base =
            lower_text(term.from.substr(wanted[k].begin, wanted[k].end - wanted[k].begin));
        if (k + 1 == wanted.size() && low == base + "s") plural = "s";
        else same = false;
      }
      if (!same) continue;
      const uint32_t begin = words[i].begin, end = words[i + wanted.size() - 1].end;
      std::string to = term.to + plural;
      if (words[i].capital && to[0] >= 'a' && to[0] <= 'z') to[0] = char(to[0] - 'a' + 'A');
      changed += out.substr(done, begin - done) + to;
      done = end;
      i += wanted.size() - 1;
    }
    out = changed + out.substr(done);
  }
  return out;
}

void check_fix(const std::vector<std::string>& files, const std::string& out) {
  namespace fs = std::filesystem;
  require(!fs::exists(out), out,
          ": is there already; a repaired copy goes into a new file: name another with --fix");
  require(out.ends_with(".jsonl"), "--fix ", out, ": expected a name that ends in .jsonl");
  for (const std::string& path : files) {
    std::string kind = lower_text(path);
    for (std::string_view packed : {".gz", ".zst"})
      if (kind.ends_with(packed)) kind.resize(kind.size() - packed.size());
    require(!kind.ends_with(".txt"), path,
            ": --fix repairs records; a plain text is one text, not records");
  }
  const std::string folder = fs::path(out).parent_path().string();
  require(folder.empty() || fs::is_directory(folder), out, ": there is no folder ", folder,
          "; make it, or name another file with --fix");
  require(::access(folder.empty() ? "." : folder.c_str(), W_OK | X_OK) == 0, out,
          ": nothing can be written into this folder: ", std::strerror(errno),
          "; name another file with --fix");
}

FixCounts write_fixed(const std::vector<std::string>& files, const ExampleOptions& options,
                      const std::vector<Finding>& findings, const Corpus& corpus,
                      const std::vector<Term>& terms, const std::string& out) {
  check_fix(files, out);
  std::set<uint32_t> dropped;
  for (const Finding& finding : findings)
    if (finding.check->name == "duplicate") dropped.insert(finding.places[0].record);
  FixCounts counts;
  AtomicFile copy(out);
  uint32_t record = 0;
  for (const std::string& path : files) {
    std::string kind = path, bytes = read_text_file(path);
    bytes = uncompressed(std::move(bytes), kind, options.most_bytes);
    FileOptions file{options.encoding, options.delimiter, "", {}, options.most_bytes};
    if (auto rows = options.fields.find("rows"); rows != options.fields.end())
      file.rows_field = rows->second;
    file.is_record = [](const std::vector<std::string>&) { return true; };
    const int64_t limit = options.limit;
    int64_t taken = 0;
    read_rows(std::move(bytes), kind, path, file, [&](Row&& row) {
      if (limit >= 0 && taken >= limit) return false;
      ++taken;
      const uint32_t here = record++;
      require(here < corpus.records(), path, ": has more records than were checked");
      if (dropped.count(here)) {
        ++counts.duplicates;
        return true;
      }
      ++counts.records;
      require(row.problem.empty(), row.problem,
              ". --fix copies records that can be read; mend this one first");
      std::set<std::string> answers;
      for (const Turn& turn : corpus.turns(here))
        if (turn.role == TurnRole::answer) answers.insert(std::string(corpus.text(turn)));
      copy.write(repaired(row, answers, terms, counts.terms));
      copy.write("\n");
      return true;
    });
  }
  copy.commit();
  return counts;
}

}  // namespace afina
