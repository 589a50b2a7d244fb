// Certificates in the terminal and as JSON text.
#include "tools/runs/certificate_text.h"

#include <filesystem>
#include <iostream>

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
            << " tokens before they part; perplexity " << format_loss(c.logits.perplexity_before)
            << " and " << format_loss(c.logits.perplexity_after) << "\n";
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

void identify(ExportCertificate& c, const std::string& path) {
  c.file = fs::path(path).filename().string();
  c.bytes = int64_t(fs::file_size(path));
  c.sha256 = sha256_file(path);
}

std::string certificate_json(const ExportCertificate& c) {
  return to_json(c).dump(2, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
}

}  // namespace afina
