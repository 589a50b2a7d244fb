// Errors of code that branches on dtypes.
#include "engine/dtype.h"

#include <string>

#include "engine/error.h"

namespace afina {

namespace {

// Also for values that are no enumerator, which name() would report in turn.
std::string text(Dtype t) {
  return int(t) < dtype_count ? name(t) : "number " + std::to_string(int(t));
}

}  // namespace

void unsupported_dtype(const char* where, Dtype t) {
  fail(where, ": dtype ", text(t), " is not supported here");
}

void unsupported_dtypes(const char* where, Dtype a, Dtype b) {
  fail(where, ": dtypes ", text(a), " and ", text(b), " are not supported together");
}

void wrong_dtype(Dtype found, Dtype requested) {
  fail("the elements of a tensor of dtype ", text(found), " were requested as ", text(requested));
}

}  // namespace afina
