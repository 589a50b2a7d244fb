// certificate.html: one page for the people who deploy a model.
#pragma once
#include <string>

#include "tools/results/certificate.h"

namespace afina {

// The page, complete in itself: no script, nothing that is loaded. All texts are escaped.
std::string certificate_page(const ExportCertificate& certificate);

}  // namespace afina
