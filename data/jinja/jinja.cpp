// A template: parsing and rendering.
#include "data/jinja/jinja.h"

#include "data/jinja/interpreter.h"

namespace afina::jinja {

namespace {

bool marks(const Body& body) {
  for (auto& s : body)
    if (s->kind == Statement::generation || marks(s->body) || marks(s->otherwise)) return true;
  return false;
}

}  // namespace

Template::Template(std::string_view source, std::string where)
    : where_(std::move(where)), body_(parse(source, where_)), marks_generation_(marks(body_)) {}

Template::~Template() = default;

Rendered Template::render(const Dict& variables, const Environment& environment,
                          const Limits& limits) const {
  return Interpreter(variables, environment, limits, where_).render(body_);
}

}  // namespace afina::jinja
