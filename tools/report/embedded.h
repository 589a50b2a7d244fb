// Files that the build puts into the program: a report needs nothing beside it.
#pragma once
#include <string_view>

namespace afina::embedded {

extern const std::string_view page_script;  // tools/report/page.js
extern const std::string_view style_sheet;  // tools/report/style.css
extern const std::string_view vote_script;  // tools/report/vote.js

}  // namespace afina::embedded
