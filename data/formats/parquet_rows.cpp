// Parquet files: columns of texts, numbers and truth values, and lists and groups of these, put
// together into records row by row (the levels are those of Dremel, Melnik et al. 2010).
#include <charconv>
#include <cmath>

#include "data/formats/parquet_column.h"
#include "data/rows.h"
#include "engine/error.h"

namespace afina {

namespace {

class ParquetRows {
 public:
  ParquetRows(std::string_view bytes, const std::string& name, const FileOptions& options)
      : bytes_(bytes),
        name_(name),
        options_(options),
        file_(read_parquet_footer(bytes, name)),
        columns_(file_->leaves.size()) {}

  void read(const TakeRow& take) {
    for (const ParquetNode& column : file_->root.children)
      if (!column.unreadable.empty()) unread_[column.name] = column.unreadable;
    require(unread_.size() < file_->root.children.size(), name_,
            ": no column holds texts, numbers, truth values or lists of them");
    int64_t number = 0;
    for (const ParquetGroup& group : file_->groups) {
      if (group.rows == 0) continue;  // its columns may lie nowhere
      open(group);
      for (int64_t i = 0; i < group.rows; ++i) {
        Row row{{}, name_ + ", row " + std::to_string(++number)};
        row.json = record();
        row.unread = &unread_;
        if (const std::string fault = utf8_fault(texts_); !fault.empty())
          row.problem = row.place + ": " + fault;
        texts_.clear();
        if (!take(std::move(row))) return;
      }
      for (const ParquetColumn& column : columns_)
        require(column.ended(), name_, ": damaged: columns of different lengths");
    }
  }

 private:
  void open(const ParquetGroup& group) {
    for (const ParquetNode& column : file_->root.children)
      for (size_t i = 0; i < column.leaves && column.unreadable.empty(); ++i) {
        const size_t leaf = column.first_leaf + i;
        columns_[leaf] = {};  // before the next is read
        columns_[leaf] =
            read_parquet_column(bytes_, group.chunks[leaf], *file_->leaves[leaf],
                                name_ + ", column \"" + column.name + "\"", options_.most_bytes);
      }
  }

  Json record() {
    Json::object_t members;
    for (const ParquetNode& column : file_->root.children) {
      if (!column.unreadable.empty()) continue;
      for (size_t i = 0; i < column.leaves; ++i) {
        const ParquetColumn& leaf = columns_[column.first_leaf + i];
        require(!leaf.ended() && leaf.repetition() == 0, name_,
                ": damaged: columns of different lengths");
      }
      members.push_back({column.name, node(column, 0)});
    }
    return object_of(std::move(members));
  }

  Json object_of(Json::object_t members) const {
    std::vector<std::string_view> names;
    for (const auto& [key, value] : members) {
      for (std::string_view other : names)
        require(other != key, name_, ": two columns are called \"", key, "\"");
      names.push_back(key);
    }
    return Json(std::move(members));
  }

  // above: the definition level of what holds the node.
  Json node(const ParquetNode& n, int above) {
    if (n.repetition == 2) return repeated(n, n, above);
    if (n.repetition == 1 && definition(n) <= above) return pass(n);
    if (n.is_list && n.children.size() == 1 && n.children[0].repetition == 2) {
      // The standard's three levels: a list of groups that hold an element each. Older writers left
      // the group out, or named it "array" or after the list where it is the element itself.
      const ParquetNode& middle = n.children[0];
      const bool itself =
          middle.children.size() != 1 || middle.name == "array" || middle.name == n.name + "_tuple";
      return repeated(middle, itself ? middle : middle.children[0], n.definition);
    }
    return value(n);
  }

  // The values of a repeated node. element: itself, or what it holds alone.
  Json repeated(const ParquetNode& n, const ParquetNode& element, int above) {
    Json list = Json::array();
    if (definition(n) <= above) {
      pass(n);
      return list;
    }
    do {
      list.push_back(&element == &n ? value(n) : node(element, n.definition));
    } while (!first(n).ended() && first(n).repetition() == n.repeated);
    return list;
  }

  Json value(const ParquetNode& n) {
    if (n.children.empty()) return leaf(n);
    Json::object_t members;
    for (const ParquetNode& child : n.children)
      members.push_back({child.name, node(child, n.definition)});
    return object_of(std::move(members));
  }

  ParquetColumn& first(const ParquetNode& n) { return columns_[n.first_leaf]; }
  int definition(const ParquetNode& n) {
    const ParquetColumn& column = first(n);
    require(!column.ended(), name_, ": damaged: columns of different lengths");
    return column.definition(file_->leaves[n.first_leaf]->definition);
  }
  // Past an entry without a value in every column of the node.
  Json pass(const ParquetNode& n) {
    for (size_t i = 0; i < n.leaves; ++i) {
      ParquetColumn& column = columns_[n.first_leaf + i];
      require(!column.ended(), name_, ": damaged: columns of different lengths");
      const int most = file_->leaves[n.first_leaf + i]->definition;
      column.value += column.definition(most) == most;
      ++column.entry;
    }
    return nullptr;
  }

  Json leaf(const ParquetNode& n) {
    ParquetColumn& column = first(n);
    require(!column.ended() && column.definition(n.definition) == n.definition, name_,
            ": damaged: the levels of column \"", n.name, "\" do not fit together");
    ++column.entry;
    const size_t at = column.value++;
    auto held = [&](const auto& values) {
      require(at < values.size(), name_, ": damaged: too few values in column \"", n.name, "\"");
      return values[at];
    };
    switch (n.type) {
      case ParquetType::boolean: return held(column.integers) != 0;
      case ParquetType::int32:
        if (n.is_unsigned) return uint32_t(held(column.integers));
        return int32_t(held(column.integers));
      case ParquetType::int64:
        if (n.is_unsigned) return uint64_t(held(column.integers));
        return held(column.integers);
      case ParquetType::float32: return number(held(column.reals), true);
      case ParquetType::float64: return number(held(column.reals), false);
      default: break;
    }
    const std::string_view text = held(column.texts);
    texts_ += text;
    texts_ += ' ';
    return text;
  }

  // "Not a number" is what tables put where there is no value. A float becomes the shortest number
  // that is it: 0.1, not 0.10000000149.
  static Json number(double value, bool is_float) {
    if (!std::isfinite(value)) return nullptr;
    if (!is_float) return value;
    char digits[32];
    const auto end = std::to_chars(digits, digits + sizeof digits, float(value)).ptr;
    std::from_chars(digits, end, value);
    return value;
  }

  std::string_view bytes_;
  const std::string& name_;
  const FileOptions& options_;
  std::unique_ptr<ParquetFile> file_;
  std::vector<ParquetColumn> columns_;
  std::map<std::string, std::string> unread_;
  std::string texts_;  // of the record, to be looked at once
};

void read(std::string_view bytes, const std::string& name, const FileOptions& options,
          const TakeRow& take) {
  ParquetRows(bytes, name, options).read(take);
}

const RegisterReader registered({"Parquet", {".parquet", ".pq"}, "PAR1", false, read});

}  // namespace

}  // namespace afina
