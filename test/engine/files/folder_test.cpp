// Folders that cannot be made, and the words for why.
#include "engine/files/folder.h"

#include <unistd.h>

#include <filesystem>

#include "engine/files/atomic_file.h"
#include "test/scratch.h"

namespace fs = std::filesystem;
using namespace afina;

BOOST_AUTO_TEST_SUITE(folders)

BOOST_AUTO_TEST_CASE(what_is_in_the_way_is_named) {
  ScratchFolder scratch;
  auto refused = [&](const std::string& path, std::initializer_list<std::string> words) {
    check_error([&] { make_folder(path, "choose another --out"); }, words);
    check_error([&] { make_folder(path, "choose another --out"); }, {"; choose another --out"});
  };
  BOOST_TEST(make_folder(scratch / "a/b", ""));
  BOOST_TEST(!make_folder(scratch / "a/b", ""));
  BOOST_TEST(!make_folder(scratch / "a/b/", ""));
  BOOST_TEST(fs::is_directory(scratch / "a/b"));
  write_text_file(scratch / "file", "x");
  refused("", {"it is empty"});
  refused(scratch / "file", {"/file: a folder is expected", "it is a file"});
  refused(scratch / "file/x/y", {"/file/x/y: ", scratch / "file is a file"});
  fs::create_symlink(scratch / "nowhere", scratch / "dangling");
  refused(scratch / "dangling", {"it is a link to " + (scratch / "nowhere"), "where nothing is"});
  refused(scratch / "dangling/x", {scratch / "dangling is a link to"});
  fs::create_symlink("loop", scratch / "loop");
  refused(scratch / "loop", {"it is a link that leads back to itself"});
  refused(scratch / "loop/x", {scratch / "loop is a link that leads back to itself"});
  fs::create_symlink("a", scratch / "link");
  BOOST_TEST(make_folder(scratch / "link/c", ""));
  const std::string name(300, 'n');
  refused(scratch / name, {"nn...nn", "has 300 bytes", "at most 255"});
  std::string path = scratch.path();
  for (int i = 0; i < 50; ++i) path += "/" + std::string(100, 'p');
  refused(path, {"bytes, and a path has at most 4095", "pp...pp"});
  refused("/dev/null", {"it is a pipe or device"});
  refused("/dev/null/x", {"/dev/null is a pipe or device"});
  refused("/proc/afina", {"/proc/afina: ", " in /proc"});
}

// Root may write everywhere.
BOOST_AUTO_TEST_CASE(a_folder_without_permission_is_named) {
  ScratchFolder scratch;
  fs::create_directory(scratch / "closed");
  fs::permissions(scratch / "closed", fs::perms::owner_read);
  if (::geteuid() != 0) {
    check_error([&] { make_folder(scratch / "closed", "x"); }, {"/closed: nothing can be written"});
    check_error([&] { make_folder(scratch / "closed/x", "x"); },
                {"/closed/x: a folder is expected"});
  }
  fs::permissions(scratch / "closed", fs::perms::owner_all);
}

BOOST_AUTO_TEST_SUITE_END()
