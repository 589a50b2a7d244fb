// Sums over a step that was seen, and the parts of a place.
#include "tools/look/seen.h"

#include <algorithm>

namespace afina {

const char* name(SeenKind kind) {
  static constexpr const char* names[] = {"forward", "recomputed", "backward", "update"};
  return names[int(kind)];
}

int64_t SeenStep::peak() const {
  int64_t found = -1, most = -1;
  for (size_t i = 0; i < operations.size(); ++i)
    if (operations[i].held_in_all() > most) {
      most = operations[i].held_in_all();
      found = int64_t(i);
    }
  return found;
}
double SeenStep::seconds(SeenKind kind) const {
  double sum = 0;
  for (const SeenOperation& op : operations) sum += op.kind == kind ? op.seconds : 0.;
  return sum;
}
int64_t SeenStep::flops(SeenKind kind) const {
  int64_t sum = 0;
  for (const SeenOperation& op : operations) sum += op.kind == kind ? op.flops : 0;
  return sum;
}

namespace {

// The first part of a place that is a number: where it begins and its length; length 0: none.
struct Part {
  size_t from = 0, length = 0;
};
Part number_in(const std::string& place) {
  for (size_t from = 0; from < place.size();) {
    const size_t to = std::min(place.find('.', from), place.size());
    const bool digits = to > from && to - from < 10 &&
                        std::all_of(place.begin() + long(from), place.begin() + long(to),
                                    [](char c) { return c >= '0' && c <= '9'; });
    if (digits) return {from, to - from};
    from = to + 1;
  }
  return {};
}

}  // namespace

int64_t layer_of(const std::string& place) {
  const Part part = number_in(place);
  return part.length ? std::stoll(place.substr(part.from, part.length)) : -1;
}
std::string without_layer(const std::string& place) {
  const Part part = number_in(place);
  std::string out = place;
  return part.length ? out.replace(part.from, part.length, "*") : out;
}

}  // namespace afina
