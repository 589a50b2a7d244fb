// Writes the files of a comparison.
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include "engine/error.h"
#include "tools/report.h"

namespace afina {
namespace {

// Beside its name first, so that a reader never finds half a file.
void write_file(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::path unfinished = path.string() + ".part";
  std::ofstream stream(unfinished, std::ios::binary);
  stream << text;
  stream.close();
  require(stream.good(), path.string(), ": cannot be written; is the folder there, writable, and the disk not full?");
  std::filesystem::rename(unfinished, path);
}

}  // namespace

void write_comparison(const Comparison& comparison, const std::string& folder) {
  std::filesystem::path place = folder;
  write_file(place / "results.json", to_json(comparison).dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
  write_file(place / "summary.md", summary_markdown(comparison));
  write_file(place / "report.html", report_html(comparison));
}

}  // namespace afina
