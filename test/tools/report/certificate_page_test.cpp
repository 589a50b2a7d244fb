// The certificate's page: all figures, and nothing that a name or an answer could command.
#include "tools/report/certificate_page.h"

#include <boost/test/unit_test.hpp>

using namespace afina;

BOOST_AUTO_TEST_SUITE(certificate_pages)

BOOST_AUTO_TEST_CASE(figures_are_there_and_texts_are_text) {
  ExportCertificate c;
  c.file = "<script>alert(1)</script>.gguf";
  c.sha256 = "abc123";
  c.bytes = 4096;
  c.form = "gguf";
  c.trained = "runs/\"x\"";
  c.checks = {{"tokens", "9 of 9 alike", "all", "the same", true}};
  c.logits.kl = 0.00125;
  c.stored = {
      {"Q8_0", "weights", "blk.0.<b>", 3, 0.0051, 0.0106, "row 7, columns 32 to 63", 0.01, 0.02}};
  c.files = {{"a.safetensors", "abc123", 4000}, {"b.safetensors", "def456", 96}};
  c.answers = {{"<img src=x>", "yes & no", "yes", 1, 2}};
  c.notes = {"a note"};
  std::string html = certificate_page(c);
  for (const char* part : {"abc123", "4,096 bytes", "9 of 9 alike", "0.00125", "Q8_0", "0.0051",
                           "row 7, columns 32 to 63", "def456", "yes &amp; no",
                           "the first 1 of 2 tokens", "a note", "answers as what"})
    BOOST_TEST(html.find(part) != html.npos, part);
  for (const char* part : {"<script", "<img", "<b>"})
    BOOST_TEST(html.find(part) == html.npos, part);
  c.checks[0].holds = false;
  c.accepted = true;
  html = certificate_page(c);
  BOOST_TEST(html.find("Not every check holds") != html.npos);
  BOOST_TEST(html.find("--accept") != html.npos);
  const OrderedJson json = to_json(c);
  BOOST_TEST(json.at("holds") == false);
  BOOST_TEST(json.at("stored").at(0).at("type") == "Q8_0");
  BOOST_TEST(json.at("stored").at(0).at("part_bound") == 0.02);
  BOOST_TEST(json.at("files").at(1).at("sha256") == "def456");
}

BOOST_AUTO_TEST_SUITE_END()
