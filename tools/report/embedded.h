// Files that the build puts into the program: a report needs nothing beside it.
#pragma once
#include <string_view>

namespace afina::embedded {

extern const std::string_view chart_library;  // Chart.js as the system package installs it
extern const std::string_view chart_licence;  // tools/report/chart-licence.txt
extern const std::string_view charts_script;  // tools/report/charts.js
extern const std::string_view style_sheet;    // tools/report/style.css

}  // namespace afina::embedded
