// Drafts: what is removed, and what never is.
#include "tools/runs/draft.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>

#include "engine/error.h"
#include "engine/files/atomic_file.h"
#include "test/scratch.h"

using namespace afina;
namespace fs = std::filesystem;

BOOST_AUTO_TEST_SUITE(draft)

// A name is no proof: only what has a draft's mark and no living writer is removed.
BOOST_AUTO_TEST_CASE(strangers_folders_of_a_drafts_name_stay) {
  const ScratchFolder folder;
  const std::string out = folder / "out";
  fs::create_directory(out + ".draft-20261128");
  write_text_file(out + ".draft-20261128/notes.txt", "precious");
  write_text_file(out + ".draft-7777777", "precious");
  fs::create_directory(out + ".draft-9999999");  // as a killed process leaves it
  write_text_file(out + ".draft-9999999/.afina-draft", "");
  {
    Draft one(out);
    BOOST_TEST(read_text_file(out + ".draft-20261128/notes.txt") == "precious");
    BOOST_TEST(read_text_file(out + ".draft-7777777") == "precious");
    BOOST_TEST(!fs::exists(out + ".draft-9999999"));
    write_text_file(one.path() + "/result", "done");
    one.keep();
  }
  BOOST_TEST(read_text_file(out + "/result") == "done");
  BOOST_TEST(!fs::exists(out + "/.afina-draft"));
}

BOOST_AUTO_TEST_CASE(a_draft_that_is_being_written_stays) {
  const ScratchFolder folder;
  Draft one(folder / "out");
  fs::rename(one.path(), folder / "out.draft-1234");  // as another machine's process would call it
  { Draft two(folder / "out"); }
  BOOST_TEST(fs::exists(folder / "out.draft-1234/.afina-draft"));
}

BOOST_AUTO_TEST_CASE(a_slash_at_the_end_and_an_empty_folder_are_no_obstacle) {
  const ScratchFolder folder;
  {
    Draft one((folder / "out") + "/");
    write_text_file(one.path() + "/result", "done");
    one.keep();
  }
  BOOST_TEST(read_text_file(folder / "out/result") == "done");
  fs::create_directory(folder / "empty");
  BOOST_CHECK_THROW(Draft(folder / "empty"), Error);
  { Draft given_up(folder / "empty", true); }
  BOOST_TEST(fs::is_directory(folder / "empty"));  // the user's folder is there still
  Draft over(folder / "empty", true);
  write_text_file(over.path() + "/result", "done");
  over.keep();
  BOOST_TEST(read_text_file(folder / "empty/result") == "done");
  BOOST_CHECK_THROW(Draft(folder / "empty", true), Error);
}

BOOST_AUTO_TEST_SUITE_END()
