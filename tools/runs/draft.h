// Results that appear whole or not at all: written in a folder beside their place, then renamed.
#pragma once
#include <memory>
#include <string>
#include <vector>

namespace afina {

// A folder beside `out` that is gone at the end, with what is in it, unless it was kept; also where
// SIGINT, SIGTERM or SIGHUP ends the process. Drafts of the same result that killed processes left
// behind are removed: folders with a draft's mark (.afina-draft) that no process holds locked, and
// nothing else. An Error where `out` exists, is empty, or no folder can be made there.
class Draft {
 public:
  // over_empty: an empty folder of that name may be there; what is kept takes its place.
  explicit Draft(const std::string& out, bool over_empty = false);
  ~Draft();
  Draft(const Draft&) = delete;
  const std::string& path() const { return path_; }
  // A message with the result's name in place of the draft's.
  std::string in_words(std::string text) const;
  // Gives the folder its name. An Error where something came there meanwhile.
  void keep();
  // Moves these files of the draft beside `out`, in this order, under their own names; the last one
  // is the result itself. An Error where one of them exists.
  void keep_files(const std::vector<std::string>& names);

 private:
  class Watcher;
  void clear_abandoned() const;
  void mark();
  void unmark();
  std::string out_, path_;
  std::unique_ptr<Watcher> watcher_;
  bool kept_ = false;
  int mark_ = -1;  // descriptor of the mark, locked while this process writes
};

}  // namespace afina
