// Folders for what is written.
#pragma once
#include <string>

namespace afina {

// Makes a folder, with those that it lies in, where there is none; returns whether it made one. An
// Error where that cannot be, or where nothing can be written into it: it names the part of the
// path that is in the way and why (a file, a link that leads nowhere, a name that is too long, no
// permission), and ends with `advice`, as in "choose another --out".
bool make_folder(const std::string& path, const std::string& advice);

}  // namespace afina
