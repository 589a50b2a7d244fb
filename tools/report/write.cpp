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

std::vector<std::string> write_comparison(const Comparison& comparison, const std::string& folder) {
  write_file(std::filesystem::path(folder) / "results.json",
             to_json(comparison).dump(1, ' ', false, OrderedJson::error_handler_t::replace) + "\n");
  return write_views(comparison, folder);
}

std::vector<std::string> write_views(const Comparison& comparison, const std::string& folder) {
  std::filesystem::path place = folder;
  std::vector<std::string> failed;
  auto attempt = [&](const char* name, std::string (*make)(const Comparison&)) {
    try {
      write_file(place / name, make(comparison));
    } catch (const std::exception& why) {
      failed.push_back((place / name).string() + " could not be made: " + why.what());
    }
  };
  attempt("summary.md", summary_markdown);
  attempt("report.html", report_html);
  return failed;
}

}  // namespace afina
