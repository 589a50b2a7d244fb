// Fuzz target: Parquet files, of pyarrow's.
#include "data/rows.h"
#include "engine/files/atomic_file.h"
#include "test/fuzz/fuzz.h"

static void run(std::string_view input) {
  using namespace afina;
  FileOptions options;
  options.most_bytes = 1 << 16;
  int64_t rows = 0;
  read_rows(std::string(input), "fuzz.parquet", "fuzz.parquet", options, [&](Row&& row) {
    if (!row.json.is_object()) throw std::logic_error("a row that is no object");
    return ++rows < 4096;
  });
}

static std::vector<std::string> seeds() {
  std::vector<std::string> files;
  for (const char* name :
       {"none", "snappy", "delta", "messages_old_lists", "messages", "dated", "split"})
    files.push_back(afina::read_text_file(AFINA_SOURCE_DIR "/test/stored/data/" +
                                          std::string(name) + ".parquet"));
  return files;
}

static const afina::FuzzTarget registered("parquet", run, seeds,
                                          {"PAR1", "\x15", "\x19", "\x1c", "\xff\xff\xff\xff\x0f",
                                           "\x16\x80\x80", "list", "array"},
                                          32 << 20);
