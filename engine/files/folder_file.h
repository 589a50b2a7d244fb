// Files of a folder from an untrusted source: what is read as "the model's config.json" must be in
// the model's folder.
#pragma once
#include <string>

namespace afina {

// Returns folder/name after checking that it is a regular file in that folder. A link may point
// into the folder, or from a snapshot of the Hugging Face cache to its blobs. Throws an Error for
// other links, which could make any file of this machine part of a model; for pipes and devices,
// which could block forever; and for a missing file.
std::string file_of_folder(const std::string& folder, const std::string& name);
// Does the folder have an entry of this name? A dangling link counts: reading it is an Error.
bool in_folder(const std::string& folder, const std::string& name);

}  // namespace afina
