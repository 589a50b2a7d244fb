// Tests of mapped files, atomic files and SHA-256.
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include "engine/files/atomic_file.h"
#include "engine/files/json.h"
#include "engine/files/mapped_file.h"
#include "engine/files/sha256.h"
#include "engine/isa.h"
#include "engine/nearest.h"
#include "test/scratch.h"

using namespace afina;

BOOST_AUTO_TEST_SUITE(mapped_file)

BOOST_AUTO_TEST_CASE(reads_what_is_there_also_after_dropping_it) {
  ScratchFolder folder;
  std::string text(100'000, 'x');
  text[99'999] = 'y';
  MappedFile file(folder.put("a", text));
  BOOST_TEST(file.size() == text.size());
  file.drop(5000, 1 << 30);
  file.drop(200'000, 1);
  MappedFile moved = std::move(file);
  BOOST_TEST((std::string(reinterpret_cast<const char*>(moved.data()), moved.size()) == text));
}

BOOST_AUTO_TEST_CASE(takes_empty_files_and_refuses_what_is_no_file) {
  ScratchFolder folder;
  BOOST_TEST(MappedFile(folder.put("empty", "")).size() == 0u);
  check_error([&] { MappedFile(folder / "none"); }, {folder / "none", "No such file"});
  check_error([&] { MappedFile{folder.path()}; }, {folder.path(), "is a folder"});
  BOOST_REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  check_error([&] { MappedFile(folder / "pipe"); }, {"pipe or device"});
  check_error([&] { parse_json_file(folder / "pipe"); },
              {folder / "pipe", "pipe or device"});  // and does not wait for a writer
  check_error([&] { parse_json_file(folder.path()); }, {folder.path(), "is a folder"});
  check_error([&] { parse_json_file("/dev/zero"); }, {"pipe or device"});
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(atomic_file)

BOOST_AUTO_TEST_CASE(replaces_the_old_file_at_commit_and_not_before) {
  ScratchFolder folder;
  std::string path = folder.put("a", "old");
  {
    AtomicFile out(path);
    out.write("new ");
    out.write("text");
    out.write_at(4, "T", 1);
    BOOST_TEST(read_text_file(path) == "old");
    out.commit();
    BOOST_TEST(read_text_file(path) == "new Text");
    check_error([&] { out.write("more"); }, {path, "after it was finished"});
  }
  BOOST_TEST(folder.entries() == 1u);
}

BOOST_AUTO_TEST_CASE(leaves_nothing_without_commit) {
  ScratchFolder folder;
  std::string path = folder.put("a", "old");
  { AtomicFile(path).write("half"); }
  BOOST_TEST(read_text_file(path) == "old");
  BOOST_TEST(folder.entries() == 1u);
}

// A child is killed while it writes: the old file is whole, and the next writer sweeps away what
// the child left.
BOOST_AUTO_TEST_CASE(survives_kill_9) {
  ScratchFolder folder;
  std::string path = folder.put("a", "old");
  int ready[2];
  BOOST_REQUIRE(::pipe(ready) == 0);
  pid_t child = ::fork();
  if (child == 0) {
    AtomicFile out(path);
    out.write("half");
    if (::write(ready[1], "x", 1) == 1) ::pause();
    ::_exit(1);
  }
  char byte;
  BOOST_REQUIRE(::read(ready[0], &byte, 1) == 1);
  { AtomicFile beside(path); }
  BOOST_TEST(folder.entries() == 2u);  // the temporary file of a living writer is left alone
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(ready[0]);
  ::close(ready[1]);
  BOOST_TEST(read_text_file(path) == "old");
  BOOST_TEST(folder.entries() == 2u);
  write_text_file(path, "new");
  BOOST_TEST(read_text_file(path) == "new");
  BOOST_TEST(folder.entries() == 1u);
}

// A limit on the size of files stands for a full disk.
BOOST_AUTO_TEST_CASE(a_full_disk_is_an_error_and_the_old_file_stays) {
  ScratchFolder folder;
  std::string path = folder.put("a", "old");
  rlimit before, small = {};
  BOOST_REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  small.rlim_cur = 1000;
  small.rlim_max = before.rlim_max;
  auto handler = ::signal(SIGXFSZ, SIG_IGN);
  BOOST_REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  check_error([&] { write_text_file(path, std::string(1500, 'x')); },
              {path, "cannot write 500 bytes at 1000", "File too large"});
  BOOST_REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  ::signal(SIGXFSZ, handler);
  BOOST_TEST(read_text_file(path) == "old");
  BOOST_TEST(folder.entries() == 1u);
}

BOOST_AUTO_TEST_CASE(refuses_what_cannot_be_written) {
  ScratchFolder folder;
  check_error([&] { AtomicFile(folder / "none/a"); }, {folder / "none/a", "No such file"});
  check_error([&] { AtomicFile{folder.path()}; }, {"is a folder"});
  check_error([] { AtomicFile("/dev/null"); }, {"/dev/null", "no regular file"});
  check_error([] { AtomicFile(""); }, {"without a name"});
}

BOOST_AUTO_TEST_CASE(reading_is_bounded) {
  ScratchFolder folder;
  std::string path = folder.put("a", "12345");
  BOOST_TEST(read_text_file(path, 5) == "12345");
  check_error([&] { read_text_file(path, 4); }, {path, "5 bytes", "at most 4"});
  check_error([&] { read_text_file("/dev/zero", 4); }, {"more than 4 bytes"});
  check_error([&] { read_text_file(folder.path()); }, {"Is a directory"});
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(sha_256)

// FIPS 180-4's examples, by plain code and by the processor's own instructions.
BOOST_AUTO_TEST_CASE(gives_the_known_digests) {
  Isa before = isa();
  for (Isa one : {Isa::scalar, best_isa()}) {
    set_isa(one);
    BOOST_TEST(sha256("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    BOOST_TEST(sha256("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    BOOST_TEST(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
               "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    BOOST_TEST(sha256(std::string(1'000'000, 'a')) ==
               "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  }
  set_isa(before);
}

// Every length up to some blocks, whole and in pieces that end at every place of a block.
BOOST_AUTO_TEST_CASE(pieces_make_no_difference) {
  std::string text;
  for (size_t length = 0; length < 200; ++length, text += char('a' + length % 26)) {
    Sha256 digest;
    for (size_t at = 0; at < length; at += 7) digest.update(std::string_view(text).substr(at, 7));
    BOOST_TEST(digest.hex() == sha256(text));
    BOOST_TEST(digest.hex() == sha256(text));  // asking does not change it
  }
}

BOOST_AUTO_TEST_CASE(of_a_file) {
  ScratchFolder folder;
  BOOST_TEST(sha256_file(folder.put("a", "abc")) == sha256("abc"));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_CASE(nearest_words) {
  std::vector<std::string> known = {"hidden_size", "num_hidden_layers", "rope_theta", "lr"};
  BOOST_TEST(nearest_word("hiden_size", known) == "hidden_size");
  BOOST_TEST(nearest_word("rope_tehta", known) == "rope_theta");
  BOOST_TEST(nearest_word("completely_else", known) == "");
  BOOST_TEST(did_you_mean("rl", known) == " (did you mean 'lr'?)");
}
