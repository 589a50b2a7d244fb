// Drafts of folders and files.
#include "tools/runs/draft.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <thread>

#include "engine/error.h"
#include "engine/files/folder.h"

namespace afina {

namespace fs = std::filesystem;

namespace {

constexpr std::array<int, 3> ending_signals = {SIGINT, SIGTERM, SIGHUP};
int told[2] = {-1, -1};  // a pipe from the handler, which may do nothing else, to the watcher

void tell(int signal) {
  const auto one = static_cast<unsigned char>(signal);
  [[maybe_unused]] const ssize_t written = write(told[1], &one, 1);
}

}  // namespace

// Removes the draft when a signal comes that ends the process, and then lets it end the process.
// One at a time: signals belong to the process. A second draft has none.
class Draft::Watcher {
 public:
  explicit Watcher(std::string path) : path_(std::move(path)) {
    if (told[0] >= 0 || pipe(told) != 0) return;
    thread_ = std::thread([this] { watch(); });
    for (size_t i = 0; i < ending_signals.size(); ++i) {
      struct sigaction action {};
      action.sa_handler = tell;
      sigaction(ending_signals[i], nullptr, &before_[i]);
      // What the caller ignores (nohup) stays ignored.
      if (before_[i].sa_handler != SIG_IGN) sigaction(ending_signals[i], &action, nullptr);
    }
  }
  ~Watcher() {
    if (!thread_.joinable()) return;
    for (size_t i = 0; i < ending_signals.size(); ++i)
      sigaction(ending_signals[i], &before_[i], nullptr);
    tell(0);
    thread_.join();
    for (int& end : told) {
      close(end);
      end = -1;
    }
  }
  Watcher(const Watcher&) = delete;

 private:
  void watch() const {
    unsigned char signal = 0;
    while (read(told[0], &signal, 1) < 0 && errno == EINTR) {}
    if (signal == 0) return;
    std::error_code ignored;
    fs::remove_all(path_, ignored);
    fs::remove_all(path_, ignored);  // what was made meanwhile
    ::signal(signal, SIG_DFL);
    kill(getpid(), signal);
  }
  std::string path_;
  std::array<struct sigaction, ending_signals.size()> before_{};
  std::thread thread_;
};

namespace {

constexpr const char* mark_name = "/.afina-draft";

// As completion in a shell writes it.
std::string without_slashes(std::string out) {
  while (out.size() > 1 && out.ends_with('/')) out.pop_back();
  return out;
}

// A draft of ours that no process is writing any more.
bool abandoned(const fs::path& folder) {
  std::error_code ignored;
  if (!fs::is_directory(fs::symlink_status(folder, ignored))) return false;
  const int mark =
      open((folder.string() + mark_name).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
  if (mark < 0) return false;
  const bool free = flock(mark, LOCK_EX | LOCK_NB) == 0;
  close(mark);
  return free;
}

}  // namespace

Draft::Draft(const std::string& out, bool over_empty)
    : out_(without_slashes(out)), path_(out_ + ".draft-" + std::to_string(getpid())) {
  require(!out.empty(), "--out: a name is expected, and it is empty");
  std::error_code ignored;  // said when the draft is made
  const auto there = fs::symlink_status(out_, ignored);
  require(
      !fs::exists(there) || (over_empty && fs::is_directory(there) && fs::is_empty(out_, ignored)),
      out_, ": exists already; choose another --out");
  clear_abandoned();
  make_folder(path_, "choose another --out");
  mark();
  watcher_ = std::make_unique<Watcher>(path_);
}

Draft::~Draft() {
  watcher_.reset();
  std::error_code ignored;
  if (!kept_) fs::remove_all(path_, ignored);
  if (mark_ >= 0) close(mark_);
}

// Without a mark, as where a file system has none to give, a draft that is left behind stays.
void Draft::mark() {
  mark_ = open((path_ + mark_name).c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (mark_ >= 0) flock(mark_, LOCK_EX | LOCK_NB);
}
void Draft::unmark() {
  if (mark_ < 0) return;
  unlink((path_ + mark_name).c_str());
  close(mark_);
  mark_ = -1;
}

std::string Draft::in_words(std::string text) const {
  const std::string name = fs::path(out_).filename().string();
  // A single file's draft has its name once more.
  for (const std::string& drafted : {path_ + "/" + name, path_})
    for (size_t at = 0; (at = text.find(drafted, at)) != text.npos; at += out_.size())
      text.replace(at, drafted.size(), out_);
  return text;
}

void Draft::keep() {
  watcher_.reset();
  unmark();
  std::error_code failed;
  fs::rename(path_, out_, failed);  // over nothing: not over what came there meanwhile
  require(!failed, out_, ": what was written could not get this name (", failed.message(),
          "), as when another process has written there meanwhile; choose another --out");
  kept_ = true;
}

void Draft::keep_files(const std::vector<std::string>& names) {
  const fs::path folder = fs::absolute(out_).parent_path();
  std::error_code failed;
  for (const std::string& name : names)
    require(!fs::exists(fs::symlink_status(folder / name, failed)), (folder / name).string(),
            ": exists already; choose another --out");
  for (const std::string& name : names) {
    fs::rename(fs::path(path_) / name, folder / name, failed);
    require(!failed, (folder / name).string(), ": what was written could not get this name (",
            failed.message(), ")");
  }
}

void Draft::clear_abandoned() const {
  const fs::path result = fs::absolute(out_);
  const std::string begin = result.filename().string() + ".draft-";
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(result.parent_path(), ignored)) {
    const std::string name = entry.path().filename().string();
    const std::string number = name.starts_with(begin) ? name.substr(begin.size()) : "";
    if (!number.empty() && number.find_first_not_of("0123456789") == number.npos &&
        abandoned(entry.path()))
      fs::remove_all(entry.path(), ignored);
  }
}

}  // namespace afina
