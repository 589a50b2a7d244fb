// Fuzz target: CSV and TSV.
#include "data/rows.h"
#include "test/fuzz/fuzz.h"

static void run(std::string_view input) {
  using namespace afina;
  const bool tabs = !input.empty() && input[0] == 't';
  const std::string name = tabs ? "fuzz.tsv" : "fuzz.csv";
  size_t fields = 0;
  read_rows(std::string(input.substr(tabs)), name, name, {}, [&](Row&& row) {
    if (row.problem.empty() == row.json.is_null())
      throw std::logic_error("neither row nor problem");
    if (!row.problem.empty()) return true;
    if (fields != 0 && row.json.size() != fields) throw std::logic_error("a row of another length");
    fields = row.json.size();
    return true;
  });
}

static std::vector<std::string> seeds() {
  return {"prompt,completion\n\"Q, \"\"x\"\"\nmore\",A\r\n\nQ2,\n", "ta\tb\n1\t\"2\t\"\n",
          "\xEF\xBB\xBF a ,b\n1,2\r3,4",
          std::string("\xFF\xFE"
                      "a\0,\0b\0\n\0"
                      "1\0,\0"
                      "2\0",
                      16)};
}

static const afina::FuzzTarget registered("csv", run, seeds,
                                          {"\"", "\"\"", ",", "\t", "\r\n", "\n", "\xE9", ";",
                                           "a"});
