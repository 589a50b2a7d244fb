// The fields of findings beside losses in JSON, listed once for writing and reading
// (tools/results/json_fields.h).
#pragma once
#include "tools/results/row_findings.h"

namespace afina {

template <class Io>
void fields(Io& io, RowFound& found) {
  io("check", found.kind);
  io("words", found.words);
}

template <class Io>
void fields(Io& io, FoundKind& kind) {
  io("check", kind.kind);
  io("rows", kind.rows);
  io("before", kind.before);
  io("after", kind.after);
}

template <class Io>
void fields(Io& io, FoundRow& row) {
  io("place", row.place);
  io("answer", row.answer);
  io("before", row.before);
  io("after", row.after);
  io("found", row.found);
}

template <class Io>
void fields(Io& io, RowFindings& findings) {
  io("path", findings.path);
  io("rows", findings.rows);
  io("found", findings.found);
  io("kinds", findings.kinds);
  io("without", findings.without);
  io("worst", findings.worst);
}

}  // namespace afina
