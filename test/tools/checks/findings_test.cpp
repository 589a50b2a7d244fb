// afina check as a user runs it: exit status, files, the repaired copy.
#include "tools/checks/findings.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>

#include "engine/error.h"
#include "engine/files/atomic_file.h"
#include "test/scratch.h"
#include "test/tools/runs/runs.h"

using namespace afina;

namespace {

const char* const rows =
    "{\"prompt\": \"Where is my parcel?\", \"completion\": \"The package is here.\", \"n\": 1.50}\n"
    "{\"prompt\": \"Where is it?\", \"completion\": \"<b>On the way.</b>\", \"n\": 2}\n"
    "{\"prompt\": \"Where is my parcel?\", \"completion\": \"The package is here.\", \"n\": 3}\n";

}  // namespace

BOOST_AUTO_TEST_SUITE(check_command)

BOOST_AUTO_TEST_CASE(exit_status_and_files) {
  ScratchFolder folder;
  const std::string data = folder.put("rows.jsonl", rows), out = folder / "out";
  Said said = run({"check", "--data", data, "--out", out});
  BOOST_TEST(said.status == 1, said.err);
  BOOST_TEST(holds(said.out, "line 3: the same text"), said.out);
  const std::string found = read_text_file(out + "/findings.jsonl"),
                    page = read_text_file(out + "/report.html");
  BOOST_TEST(holds(found, "\"check\":\"duplicate\""), found);
  BOOST_TEST(holds(found, "\"row\":3"), found);
  BOOST_TEST(holds(page, "default-src 'none'"));
  BOOST_TEST(run({"check", "--data", data, "--skip", "duplicate"}).status == 0);
  // Never over somebody's result; an error is neither 0 nor 1.
  said = run({"check", "--data", data, "--out", out});
  BOOST_TEST(said.status == 2);
  BOOST_TEST(holds(said.err, "is there already"), said.err);
  BOOST_TEST(run({"check", "--data", folder / "none.jsonl"}).status == 2);
  BOOST_TEST(run({"check"}).status == 2);
  BOOST_TEST(holds(run({"check", "--list"}).out, "value-conflict"));
}

BOOST_AUTO_TEST_CASE(a_repaired_copy) {
  ScratchFolder folder;
  const std::string data = folder.put("rows.jsonl", rows), fixed = folder / "fixed.jsonl",
                    glossary = folder.put("terms.txt", "# comment\npackage -> parcel # why\n");
  Said said = run({"check", "--data", data, "--fix", fixed, "--glossary", glossary});
  BOOST_TEST(said.status == 1, said.err);
  // The question keeps its words, what was not changed its digits, and the copy is gone.
  BOOST_TEST(read_text_file(fixed) ==
             "{\"prompt\": \"Where is my parcel?\", \"completion\": \"The parcel is here.\", "
             "\"n\": 1.50}\n"
             "{\"prompt\": \"Where is it?\", \"completion\": \"<b>On the way.</b>\", \"n\": 2}\n");
  BOOST_TEST(read_text_file(data) == rows);
  BOOST_TEST(run({"check", "--data", data, "--fix", data}).status == 2);
  folder.put("bad.txt", "package = parcel\n");
  said =
      run({"check", "--data", data, "--fix", folder / "x.jsonl", "--glossary", folder / "bad.txt"});
  BOOST_TEST(holds(said.err, "line 1: expected FOUND -> EXPECTED"), said.err);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_written_is_said_before_the_work) {
  ScratchFolder folder;
  // The file is not there either: that would be said first if the work had begun.
  const std::string none = folder / "none.jsonl", out = folder / "out";
  for (auto& [fix, part] : std::vector<std::pair<std::string, std::string>>{
           {folder / "x.csv", "expected a name that ends in .jsonl"},
           {folder / "no" + "/x.jsonl", "there is no folder"}}) {
    const Said said = run({"check", "--data", none, "--fix", fix});
    BOOST_TEST(said.status == 2);
    BOOST_TEST(holds(said.err, part), said.err);
  }
  const std::string text = folder.put("t.txt.gz", "x");
  Said said = run({"check", "--data", text, "--fix", folder / "x.jsonl"});
  BOOST_TEST(holds(said.err, "a plain text is one text"), said.err);
  said = run({"check", "--data", none, "--out", folder.put("file", "") + "/out"});
  BOOST_TEST(holds(said.err, "choose another --out"), said.err);
  // A run that fails leaves no folder behind.
  BOOST_TEST(run({"check", "--data", none, "--out", out}).status == 2);
  BOOST_TEST(!std::filesystem::exists(out));
  said = run({"check", "--data", folder.put("rows.jsonl", rows), "--limit", "0"});
  BOOST_TEST(said.status == 2);
  BOOST_TEST(holds(said.err, "a limit of 0 records"), said.err);
  // An unreadable record has its place once.
  const std::string bad = folder.put("bad.jsonl", std::string(rows) + "bad\n");
  said = run({"check", "--data", bad, "--only", "unreadable"});
  BOOST_TEST(holds(said.out, "bad.jsonl, line 4: column 1: not valid JSON"), said.out);
  BOOST_TEST(!holds(said.out, "\"\""), said.out);
}

BOOST_AUTO_TEST_CASE(terms_are_replaced_as_words) {
  const std::vector<Term> terms = {{"package", "parcel"}, {"service center", "workshop"}};
  BOOST_TEST(with_terms("Packages and a package, not packaged: the Service Center.", terms) ==
             "Parcels and a parcel, not packaged: the Workshop.");
}

BOOST_AUTO_TEST_CASE(the_page_escapes_what_records_say) {
  Example example;
  example.messages = {{"user", "<script>alert(1)</script> of what?"}, {"assistant", "N/A"}};
  example.place = "a.jsonl, line 1";
  Corpus corpus;
  corpus.add("a.jsonl", {example, example}, false);
  corpus.finish();
  const std::string page = findings_page(corpus, run_checks(corpus, chosen_checks("", "")),
                                         {"<a.jsonl>"}, "afina check");
  BOOST_TEST(!holds(page, "<script"));
  BOOST_TEST(holds(page, "&lt;script&gt;"));
  BOOST_TEST(holds(page, "&lt;a.jsonl&gt;"));
}

BOOST_AUTO_TEST_SUITE_END()
