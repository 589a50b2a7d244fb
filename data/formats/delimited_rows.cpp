// CSV and TSV (RFC 4180): the first line names the fields; a field in quotes may hold delimiters,
// line ends and doubled quotes. Every value is a text.
#include <set>

#include "data/rows.h"
#include "engine/error.h"
#include "engine/files/json.h"
#include "engine/nearest.h"

namespace afina {

namespace {

class Delimited {
 public:
  Delimited(std::string_view text, const std::string& name, char delimiter)
      : text_(text), name_(name), delimiter_(delimiter) {}

  bool at_end() const { return at_ >= text_.size(); }
  int64_t line() const { return line_; }

  // The fields of the next record, which begins in `line()`. What is wrong with it is in `problem`;
  // then the record reaches to the end of its line.
  std::vector<std::string> record(std::string& problem) {
    std::vector<std::string> fields;
    for (;;) {
      fields.emplace_back();
      std::string wrong = field(fields.back());
      if (problem.empty()) problem = std::move(wrong);
      if (at_end()) return fields;
      if (text_[at_] == delimiter_) {
        ++at_;
        if (!at_end()) continue;
        fields.emplace_back();  // a delimiter ends the file: an empty field is behind it
        return fields;
      }
      end_of_line();
      return fields;
    }
  }

  // Past lines without anything.
  void skip_blank() {
    while (!at_end() && (text_[at_] == '\n' || text_[at_] == '\r')) end_of_line();
  }

 private:
  bool at_line_end() const { return at_end() || text_[at_] == '\n' || text_[at_] == '\r'; }
  // Past \n, \r\n or the \r of an old Macintosh.
  void end_of_line() {
    if (text_[at_] == '\r') ++at_;
    if (!at_end() && text_[at_] == '\n') ++at_;
    ++line_;
  }

  std::string field(std::string& out) {
    if (at_end() || text_[at_] != '"') {
      const size_t begin = at_;
      while (!at_line_end() && text_[at_] != delimiter_) ++at_;
      out = text_.substr(begin, at_ - begin);
      return "";
    }
    const int64_t opened = line_;
    ++at_;
    for (;;) {
      const size_t quote = text_.find('"', at_);
      require(quote != text_.npos, name_, ", line ", opened,
              ": a quote (\") begins a field here, and the file ends before another one ends it. A "
              "quote inside a field is written twice (\"\"), and the field in quotes");
      for (size_t i = at_; i < quote; ++i) line_ += text_[i] == '\n';
      out += text_.substr(at_, quote - at_);
      at_ = quote + 1;
      if (at_end() || text_[at_] != '"') break;
      out += '"';
      ++at_;
    }
    if (at_line_end() || text_[at_] == delimiter_) return "";
    while (!at_line_end() && text_[at_] != delimiter_) ++at_;
    return "text follows the quote that ends field " + std::string("\"") + out.substr(0, 40) +
           "\": a quote inside a field is written twice (\"\"), and the field in quotes";
  }

  std::string_view text_;
  const std::string& name_;
  char delimiter_;
  size_t at_ = 0;
  int64_t line_ = 1;
};

std::string name_of(char delimiter) {
  return delimiter == '\t' ? "a tab" : "'" + std::string(1, delimiter) + "'";
}

// The first line: names of the fields, without blanks around them.
std::vector<std::string> header_of(Delimited& file, const std::string& name, char delimiter) {
  std::string problem;
  const int64_t line = file.line();
  std::vector<std::string> header = file.record(problem);
  require(problem.empty(), name, ", line ", line, ": ", problem);
  std::set<std::string> names;
  for (std::string& one : header) {
    const size_t begin = one.find_first_not_of(" \t");
    one = begin == one.npos ? "" : one.substr(begin, one.find_last_not_of(" \t") - begin + 1);
    const std::string fault = utf8_fault(one);
    require(fault.empty(), name, ", line ", line, ": ", fault);
    require(names.insert(one).second, name, ", line ", line, ": two fields are called \"", one,
            "\"; the first line names the fields, each once");
  }
  for (char other : {';', '\t', ',', '|'})
    require(header.size() > 1 || other == delimiter || header[0].find(other) == std::string::npos,
            name, ", line ", line, ": one field, called \"", header[0], "\": expected ",
            name_of(delimiter), " between fields. If it is ", name_of(other), ", give --delimiter ",
            other == '\t' ? "tab" : name_of(other));
  return header;
}

void read_table(std::string_view text, const std::string& name, const FileOptions& options,
                const TakeRow& take, char delimiter) {
  // Excel's word on the delimiter, in a line of its own.
  if (text.size() > 6 && text.starts_with("sep=") && (text[5] == '\n' || text[5] == '\r')) {
    delimiter = text[4];
    text.remove_prefix(5);
  }
  if (options.delimiter != 0) delimiter = options.delimiter;
  Delimited file(text, name, delimiter);
  file.skip_blank();
  const std::vector<std::string> header = header_of(file, name, delimiter);
  for (file.skip_blank(); !file.at_end(); file.skip_blank()) {
    Row row{{}, name + ", line " + std::to_string(file.line())};
    std::string problem;
    std::vector<std::string> fields = file.record(problem);
    if (problem.empty() && fields.size() != header.size())
      problem = "expected " + std::to_string(header.size()) +
                " fields, as in the first line, found " + std::to_string(fields.size()) +
                ": a field with " + name_of(delimiter) + " or a line end in it has to be in quotes";
    Json::object_t members;
    for (size_t i = 0; i < fields.size() && problem.empty(); ++i) {
      problem = utf8_fault(fields[i]);
      // A table has no other way to say that there is nothing.
      members.push_back({header[i], fields[i].empty() ? Json() : Json(std::move(fields[i]))});
    }
    if (problem.empty()) row.json = Json(std::move(members));
    else row.problem = row.place + ": " + problem;
    if (!take(std::move(row))) return;
  }
}

void read_csv(std::string_view text, const std::string& name, const FileOptions& options,
              const TakeRow& take) {
  read_table(text, name, options, take, ',');
}
void read_tsv(std::string_view text, const std::string& name, const FileOptions& options,
              const TakeRow& take) {
  read_table(text, name, options, take, '\t');
}

const RegisterReader csv({"CSV", {".csv"}, "", true, read_csv});
const RegisterReader tsv({"TSV", {".tsv", ".tab"}, "", true, read_tsv});

}  // namespace

}  // namespace afina
