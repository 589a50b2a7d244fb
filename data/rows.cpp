// Files of records: which reader reads a file, and what is said of files that none reads.
#include "data/rows.h"

#include <algorithm>

#include "data/compression.h"
#include "engine/error.h"

namespace afina {

namespace {

std::vector<RowReader>& readers() {
  static std::vector<RowReader> all;
  return all;
}

std::string lower(std::string text) {
  for (char& c : text) c = char(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return text;
}

bool has_ending(const std::string& name, const std::vector<std::string>& endings) {
  const std::string small = lower(name);
  return std::any_of(endings.begin(), endings.end(),
                     [&](const std::string& ending) { return small.ends_with(ending); });
}

// Kinds of files that people have for data and that are not read: how they begin, and what to do.
struct Foreign {
  std::string_view mark;
  const char* kind;
  const char* advice;
};
using namespace std::string_view_literals;
constexpr Foreign foreign[] = {
    {"PK\x03\x04"sv, "a zip archive (.zip, or a spreadsheet .xlsx)",
     "unpack it, or export the sheet as CSV"},
    {"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"sv, "an old Office document (.xls)",
     "export the sheet as CSV"},
    {"BZh"sv, "bzip2 data", "unpack it with bunzip2, or pack it with gzip or zstd"},
    {"\xFD"
     "7zXZ\0"sv,
     "xz data", "unpack it with unxz, or pack it with gzip or zstd"},
    {"7z\xBC\xAF\x27\x1C"sv, "a 7z archive", "unpack it"},
    {"\x04\x22\x4D\x18"sv, "lz4 data", "unpack it with lz4 -d, or pack it with gzip or zstd"},
    {"ARROW1\0"sv, "an Arrow or Feather file",
     "write it as Parquet: pyarrow.parquet.write_table(pyarrow.feather.read_table(FILE), NEW)"},
    {"\xFF\xFF\xFF\xFF"sv, "an Arrow stream, as the datasets library keeps them",
     "write it as JSON lines or Parquet: datasets.load_from_disk(FOLDER).to_json(NEW)"},
    {"ORC"sv, "an ORC file", "write it as Parquet"},
    {"Obj\x01"sv, "an Avro file", "write it as JSON lines or Parquet"},
    {"\x89HDF\r\n\x1A\n"sv, "an HDF5 file", "write it as CSV, JSON lines or Parquet"},
    {"SQLite format 3\0"sv, "an SQLite database", "export the table: sqlite3 -csv -header"},
    {"\x93NUMPY"sv, "a NumPy array", "write it as CSV, JSON lines or Parquet"},
    {"\x80\x04\x95"sv, "a Python pickle", "write it as JSON lines"},
    {"\x80\x05\x95"sv, "a Python pickle", "write it as JSON lines"},
    {"%PDF-"sv, "a PDF document", "extract its text: pdftotext"},
    {"GGUF"sv, "a GGUF model", "name a file of records here, and the model with --model"},
    {"version https://git-lfs.github.com/spec/"sv, "a Git LFS pointer, not the file itself",
     "fetch the file: git lfs pull"},
    {"<?xml"sv, "an XML document", "write it as JSON lines or CSV"},
    {"<!DOCTYPE"sv, "a web page",
     "download the file itself (on Hugging Face /resolve/, not /blob/)"},
    {"<!doctype"sv, "a web page",
     "download the file itself (on Hugging Face /resolve/, not /blob/)"},
    {"<html"sv, "a web page", "download the file itself (on Hugging Face /resolve/, not /blob/)"}};

bool is_word(std::string_view mark) {
  return mark.size() < 12 &&
         std::all_of(mark.begin(), mark.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

const RowReader* reader_of(const std::string& bytes, const std::string& name) {
  for (const RowReader& reader : readers())
    if (!reader.mark.empty() && bytes.starts_with(reader.mark)) return &reader;
  for (const RowReader& reader : readers())
    if (has_ending(name, reader.endings)) return &reader;
  return nullptr;
}

std::string all_endings() {
  std::string text;
  for (const RowReader& reader : readers())
    for (const std::string& ending : reader.endings) text += (text.empty() ? "" : ", ") + ending;
  return text;
}

}  // namespace

RegisterReader::RegisterReader(RowReader reader) {
  auto place = std::find_if(readers().begin(), readers().end(),
                            [&](auto& other) { return other.name > reader.name; });
  readers().insert(place, std::move(reader));
}

void refuse_foreign(std::string_view bytes, const std::string& name) {
  // A text may begin with any word, "ORCs" or "<html>".
  const bool is_text = has_ending(name, {".txt", ".txt.gz", ".txt.zst", ".txt.zstd"});
  for (const Foreign& one : foreign)
    require(!bytes.starts_with(one.mark) || (is_text && is_word(one.mark)), name, ": is ", one.kind,
            ", which is not read; ", one.advice);
}

std::string uncompressed(std::string bytes, std::string& name, size_t most) {
  const Compression kind = compression_of(bytes);
  const bool named = has_ending(name, {".gz", ".zst", ".zstd", ".gzip"});
  if (kind == Compression::none) {
    refuse_foreign(bytes, name);
    require(
        !named || bytes.empty(), name,
        ": the name says that it is compressed, but it begins neither as gzip nor as zstd does; "
        "take the ending off if it is not");
    return bytes;
  }
  std::string plain = decompressed(kind, bytes, name, most);
  require(compression_of(plain) == Compression::none, name, ": it is compressed twice; unpack it");
  refuse_foreign(plain, name);
  require(plain.size() < 262 || std::string_view(plain).substr(257, 5) != "ustar", name,
          ": is a compressed tar archive, which is not read; unpack it");
  if (named) name.erase(name.rfind('.'));
  return plain;
}

void read_rows(std::string bytes, const std::string& kind, const std::string& name,
               const FileOptions& options, const TakeRow& take) {
  const RowReader* reader = reader_of(bytes, kind);
  if (!reader || reader->is_text) {
    bytes = to_utf8(std::move(bytes), options.encoding, name);
    const size_t first = bytes.find_first_not_of(" \t\r\n");
    require(first != bytes.npos, name, ": the file is empty");
    refuse_foreign(std::string_view(bytes).substr(first), name);
    if (!reader && (bytes[first] == '{' || bytes[first] == '[')) reader = reader_of("", ".jsonl");
  }
  require(reader != nullptr, name, ": what kind of file is this? Expected a name that ends in ",
          all_endings(), " or .txt (with .gz or .zst, too)");
  reader->read(bytes, name, options, take);
}

}  // namespace afina
