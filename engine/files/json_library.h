// Events of a JSON parser, for those who build something else than the library's own value.
#pragma once
#include <string>
#include <string_view>

#include "engine/files/json_value.h"

namespace afina {

// Each returns whether the parser shall go on.
class JsonEvents {
 public:
  virtual ~JsonEvents() = default;
  virtual bool value(Json value) = 0;  // null, true or false, an integer or a text
  // A number with a point or an exponent, or one beyond 64 bits, and its text.
  virtual bool real(double number, const std::string& digits) = 0;
  virtual bool open(bool object) = 0;       // an object begins, or an array
  virtual bool key(std::string& name) = 0;  // of the member that follows; may be moved from
  virtual bool close() = 0;                 // of what was opened last
  // The text is not JSON: `words` are the library's; position: bytes read until then.
  virtual void invalid(size_t position, const std::string& words) = 0;
};
void parse_events(std::string_view text, JsonEvents& events);

}  // namespace afina
