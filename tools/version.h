// Which afina this is: for `afina --version`, manifests and results.
#pragma once

namespace afina {

const char* program_version();  // "0.1.0"
// The commit it was built from, "5384c76", with "+" when the sources had changes that are in no commit; "unknown" outside a git checkout.
const char* program_commit();

}  // namespace afina
