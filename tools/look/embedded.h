// Files that the build puts into the program for the pages of this room.
#pragma once
#include <string_view>

namespace afina::embedded {

extern const std::string_view look_style;   // tools/look/page.css
extern const std::string_view look_script;  // tools/look/page.js
extern const std::string_view look_detail;  // tools/look/page_detail.js

}  // namespace afina::embedded
