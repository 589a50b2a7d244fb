// Plain text records: {"text": ...}; every token is a target.
#include "data/examples.h"

namespace afina {

static Example read(const Record& record) {
  Example example;
  example.text = record.text("text");
  return example;
}

static const RegisterFormat registered({"text", {"text"}, {"text"}, read});

}  // namespace afina
