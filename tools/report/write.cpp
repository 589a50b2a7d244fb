// Writes the files of a comparison.
#include <filesystem>
#include "engine/files/atomic_file.h"
#include "engine/files/json_value.h"
#include "tools/report/report.h"

namespace afina {
namespace {

void write_file(const std::filesystem::path& path, const std::string& text) {
  AtomicFile file(path.string());
  file.write(text);
  file.commit();
}

}  // namespace

void write_comparison(const Comparison& comparison, const std::string& folder) {
  std::filesystem::path place = folder;
  write_file(place / "results.json",
             to_json(comparison).dump(1, ' ', false, OrderedJson::error_handler_t::replace) + "\n");
  write_file(place / "summary.md", summary_markdown(comparison));
  write_file(place / "report.html", report_html(comparison));
}

}  // namespace afina
