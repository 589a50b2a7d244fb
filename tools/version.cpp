// The version and commit as the build found them (tools/version.cmake).
#include "tools/version.h"

#include "version_found.h"

namespace afina {

const char* program_version() { return AFINA_VERSION; }
const char* program_commit() { return AFINA_COMMIT; }

}  // namespace afina
