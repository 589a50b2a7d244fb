// A certificate in the terminal, and the texts around it.
#pragma once
#include <string>

#include "tools/results/certificate.h"

namespace afina {

// Its checks and figures, to standard output.
void print_certificate(const ExportCertificate& certificate);
// The checks that do not hold, in words; empty: all do.
std::string failed_checks(const ExportCertificate& certificate);
// Sets name, size and SHA-256 of the file.
void identify(ExportCertificate& certificate, const std::string& path);
// The text of certificate.json; bytes that are no UTF-8 become U+FFFD.
std::string certificate_json(const ExportCertificate& certificate);

}  // namespace afina
