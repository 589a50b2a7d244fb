// A certificate in the terminal, and the texts around it.
#pragma once
#include <string>

#include "tools/results/certificate.h"

namespace afina {

// Its checks and figures, to standard output.
void print_certificate(const ExportCertificate& certificate);
// The checks that do not hold, in words; empty: all do.
std::string failed_checks(const ExportCertificate& certificate);
// Sets names, sizes and SHA-256 of all files of `written`: of a folder those in it but for
// certificates and hidden ones, of a split GGUF file all parts. main: the one by which it is known.
void identify(ExportCertificate& certificate, const std::string& main, const std::string& written);
// The text of certificate.json; bytes that are no UTF-8 become U+FFFD.
std::string certificate_json(const ExportCertificate& certificate);

}  // namespace afina
