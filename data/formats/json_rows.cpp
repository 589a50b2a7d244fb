// JSON files: a record a line, records over several lines, an array of records, or an object that
// holds such an array.
#include <algorithm>

#include "data/formats/json_pieces.h"
#include "data/rows.h"
#include "engine/error.h"
#include "engine/files/json.h"

namespace afina {

namespace {

class JsonRows {
 public:
  JsonRows(std::string_view text, const std::string& name, const FileOptions& options,
           const TakeRow& take)
      : text_(text), name_(name), options_(options), take_(take) {}

  void read() {
    JsonPieces pieces(text_);
    const char first = pieces.next();
    if (first == '[') return list(text_.substr(pieces.at()), pieces.line(), "");
    if (first != '{') return lines();
    const int64_t line = pieces.line();
    const std::string_view value = pieces.value();
    if (value.empty() && looks_indented()) return cut_off(line);
    if (value.empty()) return lines();
    if (pieces.next() == 0) return object(value, line);
    const bool has_lines = text_.find('\n') != text_.npos;  // not those of an old Macintosh
    if (has_lines && value.find('\n') == value.npos) return lines();
    values();
  }

 private:
  // One record; false when no more are wanted.
  bool give(std::string_view piece, std::string place, int64_t line) {
    Row row{{}, std::move(place), piece};
    JsonLimits limits;
    limits.first_line = line;
    limits.bytes = options_.most_bytes;
    try {
      row.json = parse_json(piece, name_, limits);
    } catch (const Error& error) {
      const std::string wrong = what_is_wrong(piece);
      row.problem = wrong.empty() ? error.what() : row.place + ": " + wrong;
    }
    return take_(std::move(row));
  }

  // What a parser would say less clearly of a piece that is no JSON; else empty.
  static std::string what_is_wrong(std::string_view piece) {
    if (std::string fault = utf8_fault(piece); !fault.empty()) return fault;
    const char first = piece[piece.find_first_not_of(" \t\r\n")];
    const char last = piece[piece.find_last_not_of(" \t\r\n")];
    if (first == '{' && last == ',' && members_of(piece.substr(0, piece.rfind(',')), 1).size() > 0)
      return "a comma after the record: in JSON lines a line is a record and nothing else. Remove "
             "the commas, or put [ before the first record and ] after the last";
    const bool word = (first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z');
    if (word && piece.find('{') == piece.npos && piece.size() > 5)
      return "expected a record in braces, {...}, found the text " +
             describe(Json(piece.substr(0, 60))).substr(11) +
             ". A table has to have a name that ends in .csv or .tsv, a text one in .txt";
    return "";
  }

  // A record a line. The line is the record's end whatever is in it.
  void lines() {
    int64_t line = 0;
    for (size_t begin = 0; begin < text_.size();) {
      size_t end = std::min(text_.find('\n', begin), text_.size());
      const std::string_view one = after_mark(text_.substr(begin, end - begin));
      begin = end + 1;
      ++line;
      if (one.find_first_not_of(" \t\r") == one.npos) continue;
      if (!give(one, name_ + ", line " + std::to_string(line), line)) return;
    }
  }

  // Does the file begin as an object over several lines does, not as one of a line that is damaged?
  bool looks_indented() const {
    const size_t end = text_.find('\n');
    if (end == text_.npos) return false;
    const size_t last = text_.find_last_not_of(" \t\r", end - (end > 0));
    const size_t next = text_.find_first_not_of(" \t\r\n", end);
    const char before = last == text_.npos ? 0 : text_[last];
    return next != text_.npos && (before == '{' || before == '[' || before == ',' || before == ':');
  }

  void cut_off(int64_t line) const {
    fail(name_, ": the JSON value that begins in line ", line,
         " does not end: a closing bracket or quote is missing, or the file is incomplete");
  }

  // Records over several lines each, one after the other, as jq prints them.
  void values() {
    JsonPieces pieces(text_);
    for (int64_t number = 1; pieces.next() != 0; ++number) {
      const int64_t line = pieces.line();
      const std::string_view value = pieces.value();
      if (value.empty()) cut_off(line);
      if (!give(value, name_ + ", record " + std::to_string(number), line)) return;
    }
  }

  // An array of records, which ends the text. within: " of the field \"data\"", or empty.
  void list(std::string_view text, int64_t first_line, const std::string& within) {
    JsonPieces pieces(text, first_line);
    pieces.skip();
    for (int64_t number = 1; pieces.next() != ']'; ++number) {
      if (pieces.next() == 0) cut_off(first_line);
      const int64_t line = pieces.line();
      const std::string_view value = pieces.value();
      if (value.empty()) cut_off(line);
      const std::string place = name_ + ", record " + std::to_string(number) + within;
      if (!give(value, place, line)) return;
      const char after = pieces.next();
      if (after == ',') {
        pieces.skip();
        const bool closes = pieces.next() == ']';
        require(!closes, name_, ", line ", pieces.line(),
                ": not valid JSON: a comma after the last record; remove it");
        continue;
      }
      require(after == ']', name_, ", line ", pieces.line(), ": not valid JSON: expected , or ] ",
              "after record ", number, ", found ",
              after == 0 ? "the end of the file" : std::string(1, after));
    }
    pieces.skip();
    const bool ends = pieces.next() == 0;
    require(ends, name_, ", line ", pieces.line(),
            ": expected nothing after the array of records. Where each line is the list of a "
            "conversation's turns, write it as {\"messages\": [...]}");
  }

  // The only value of the file: a record, or what holds the records.
  void object(std::string_view text, int64_t line) {
    const std::vector<JsonPiece> members = members_of(text, line);
    std::vector<std::string> keys;
    for (const JsonPiece& member : members) keys.push_back(member.key);
    std::vector<JsonPiece> arrays, lists;
    look_for_lists(members, "", arrays, lists);
    if (!options_.rows_field.empty()) {
      for (const JsonPiece& one : arrays)
        if (one.key == options_.rows_field) return list_of(one);
      fail(name_, ": --fields rows=", options_.rows_field, ": there is no such list; the object's ",
           "fields are: ", joined(keys), "; its lists: ", joined(keys_of(arrays)));
    }
    const bool record = members.empty() || (options_.is_record && options_.is_record(keys));
    if (record || lists.empty()) {
      if (!record || members.size() > 1) require_no_columns(members);
      give(text, name_ + ", line " + std::to_string(line), line);
      return;
    }
    require(lists.size() == 1, name_,
            ": it holds several lists of records: ", joined(keys_of(lists)),
            "; say which one with --fields rows=", lists[0].key);
    list_of(lists[0]);
  }

  void list_of(const JsonPiece& member) {
    list(member.value, member.line, " of the field \"" + member.key + "\"");
  }

  // Members that are arrays, and among them those that may be lists of records: they begin with an
  // object that is no turn of a conversation. In objects within one another, as in
  // {"data": {"train": [...]}}, whose members are called "data.train".
  static void look_for_lists(const std::vector<JsonPiece>& members, const std::string& within,
                             std::vector<JsonPiece>& arrays, std::vector<JsonPiece>& lists) {
    for (const JsonPiece& member : members) {
      const std::string_view value = member.value;
      const JsonPiece called{within + member.key, value, member.line};
      if (value.starts_with('[')) {
        arrays.push_back(called);
        if (JsonPieces(value.substr(1)).next() == '{' && !holds_turns(member))
          lists.push_back(called);
      } else if (value.starts_with('{') && within.size() < 256) {
        const std::vector<JsonPiece> deeper = members_of(value, member.line);
        const bool holds = std::all_of(deeper.begin(), deeper.end(), is_container);
        if (holds) look_for_lists(deeper, called.key + ".", arrays, lists);
      }
    }
  }

  static bool is_container(const JsonPiece& member) {
    return member.value.starts_with('{') || member.value.starts_with('[');
  }
  static bool holds_turns(const JsonPiece& member) {
    JsonPieces inside(member.value.substr(1));
    return member.value.starts_with('[') && inside.next() == '{' && is_turn(inside.value());
  }
  static bool is_turn(std::string_view object) {
    size_t known = 0;
    for (const JsonPiece& member : members_of(object, 1))
      for (const char* key : {"role", "content", "from", "value"}) known += member.key == key;
    return known == 2;
  }
  static std::vector<std::string> keys_of(const std::vector<JsonPiece>& members) {
    std::vector<std::string> keys;
    for (const JsonPiece& member : members) keys.push_back(member.key);
    return keys;
  }

  // A table written column by column looks like one record.
  void require_no_columns(const std::vector<JsonPiece>& members) const {
    const bool columns = std::all_of(members.begin(), members.end(), is_container) &&
                         std::none_of(members.begin(), members.end(), holds_turns);
    require(!columns, name_, ": one object whose fields (", members.empty() ? "" : members[0].key,
            ", ...) are objects or lists themselves: ",
            "expected records. A table of pandas is written as records by to_json(..., ",
            "orient='records', lines=True), one of the datasets library by to_json(...)");
  }

  static std::string joined(const std::vector<std::string>& list) {
    std::string text;
    for (auto& one : list) text += (text.empty() ? "" : ", ") + one;
    return text;
  }

  std::string_view text_;
  const std::string& name_;
  const FileOptions& options_;
  const TakeRow& take_;
};

void read(std::string_view text, const std::string& name, const FileOptions& options,
          const TakeRow& take) {
  JsonRows(text, name, options, take).read();
}

const RegisterReader registered({"JSON", {".jsonl", ".json", ".ndjson"}, "", true, read});

}  // namespace

}  // namespace afina
