// Records of plain text: {"text": ...}; all of it is learnt.
#include "data/examples.h"

namespace afina {

static Example read(const Record& record) {
  Example example;
  example.text = record.text("text");
  return example;
}

static const RegisterFormat registered({"text", {"text"}, {"text"}, read});

}  // namespace afina
