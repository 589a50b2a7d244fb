// Files of a folder that may come from a stranger: what is read as "the model's config.json" lies
// in the model's folder.
#pragma once
#include <string>

namespace afina {

// folder/name, once it is known to be a regular file in that folder. A link may lead to another
// place in the folder, or from a snapshot of the Hugging Face cache to its blobs; one that leads
// elsewhere is an Error, as it could make any file of this machine part of a model. So is a pipe or
// device, which could be waited for without end, and a file that is not there.
std::string file_of_folder(const std::string& folder, const std::string& name);
// Is there anything of this name? A link that leads nowhere is something: reading it is an Error.
bool in_folder(const std::string& folder, const std::string& name);

}  // namespace afina
