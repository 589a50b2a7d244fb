// Certificates in the terminal and as JSON text.
#include "tools/runs/certificate_text.h"

#include <algorithm>
#include <filesystem>
#include <iostream>

#include "engine/files/gguf.h"
#include "engine/files/sha256.h"
#include "tools/text/table.h"

namespace afina {

namespace fs = std::filesystem;

void print_certificate(const ExportCertificate& c) {
  std::cout << "Compared with " << harmless(c.trained) << " on " << harmless(c.rows) << ", "
            << c.logits.positions << " positions:\n";
  Table table("llll");
  table.add({"  check", "found", "bound", ""});
  for (const CertificateCheck& check : c.checks)
    table.add(
        {"  " + check.name, check.found, check.bound, check.holds ? "holds" : "DOES NOT HOLD"});
  table.print(std::cout);
  int64_t same = 0, all = 0;
  for (const AnswerPair& answer : c.answers) {
    same += answer.same;
    all += answer.tokens;
  }
  std::cout << "Same likeliest token at "
            << format_percent(double(c.logits.same_choice) /
                              double(std::max<int64_t>(c.logits.positions, 1)))
            << " of the positions; answers agree in " << same << " of " << all
            << " tokens before they part";
  if (c.logits.targets)
    std::cout << "; perplexity " << format_loss(c.logits.perplexity_before) << " and "
              << format_loss(c.logits.perplexity_after);
  std::cout << "\n";
  for (const std::string& note : c.notes) std::cout << "(" << harmless(note) << ")\n";
}

std::string failed_checks(const ExportCertificate& c) {
  std::string words;
  for (const CertificateCheck& check : c.checks)
    if (!check.holds)
      words += (words.empty() ? "" : "; ") + check.name + " (" + check.found + ", bound " +
               check.bound + "): " + check.means;
  return words;
}

namespace {

bool is_certificate(const std::string& name) {
  for (const std::string ending : {"certificate.json", "certificate.html"})
    if (name == ending || name.ends_with("." + ending)) return true;
  return false;
}

// What lies in the folder, or the parts of a GGUF file, in the order of their names.
std::vector<std::string> files_of(const std::string& written) {
  std::vector<std::string> all;
  std::error_code ignored;
  if (fs::is_directory(written, ignored)) {
    for (auto& entry : fs::directory_iterator(written))
      if (const std::string name = entry.path().filename().string();
          entry.is_regular_file(ignored) && !name.starts_with('.') && !is_certificate(name))
        all.push_back(entry.path().string());
    std::sort(all.begin(), all.end());
  } else if (const GgufPartName part = gguf_part_name(written); part.count > 0) {
    for (int64_t i = 1; i <= part.count; ++i) all.push_back(gguf_part_path(part, i));
  } else {
    all.push_back(written);
  }
  return all;
}

}  // namespace

void identify(ExportCertificate& c, const std::string& main, const std::string& written) {
  c.file = fs::path(main).filename().string();
  for (const std::string& path : files_of(written)) {
    const std::string name = fs::path(path).filename().string();
    c.files.push_back({name, sha256_file(path), int64_t(fs::file_size(path))});
    if (name != c.file) continue;
    c.sha256 = c.files.back().sha256;
    c.bytes = c.files.back().bytes;
  }
}

std::string certificate_json(const ExportCertificate& c) {
  return to_json(c).dump(2, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
}

}  // namespace afina
