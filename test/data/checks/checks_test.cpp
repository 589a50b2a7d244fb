// Each check on a few records that have what it finds, and on records that do not.
#include "data/checks/check.h"
#include "data/checks/neighbours.h"
#include "data/checks/personal_patterns.h"
#include "data/tokenizer/utf8.h"
#include "engine/error.h"
#include "test/data/checks/records.h"

using namespace afina;

namespace {

// The one value of a text.
Value value(const std::string& text) {
  std::vector<Word> words;
  std::vector<Value> values;
  split_words(text, words);
  find_values(text, words, values);
  BOOST_REQUIRE_MESSAGE(values.size() == 1, text);
  return values[0];
}

}  // namespace

BOOST_AUTO_TEST_SUITE(checks_of_data)

BOOST_AUTO_TEST_CASE(words_and_sentences) {
  std::vector<Word> words;
  const std::string text = "Order no. 5 costs 1,000.50 euros. It's QC-12345, ready at 4pm!\nEnd";
  split_words(text, words);
  std::vector<std::string> all;
  for (const Word& word : words) all.push_back(text.substr(word.begin, word.end - word.begin));
  const std::vector<std::string> expected = {"Order", "no", ".",    "5",        "costs", "1,000.50",
                                             "euros", ".",  "It's", "QC-12345", ",",     "ready",
                                             "at",    "4",  "pm",   "!",        "End"};
  BOOST_TEST(all == expected, boost::test_tools::per_element());
  std::vector<SentenceSpan> sentences;
  split_sentences(text, words, sentences);
  BOOST_TEST(sentences.size() == 3u);
  BOOST_TEST(text_hash("café") == text_hash("café"));
  BOOST_TEST(stem_of("parcels") == stem_of("Parcel"));
  BOOST_TEST(lower_text("ÁRBOL") == "árbol");
}

BOOST_AUTO_TEST_CASE(values_are_equal_by_what_they_say) {
  BOOST_TEST(value("in two weeks").id == value("14 days").id);
  BOOST_TEST(value("a week").id == value("7 días").id);
  BOOST_TEST(value("5 working days").id != value("5 days").id);
  BOOST_TEST(value("5 días laborables").id == value("5 working days").id);
  BOOST_TEST(value("$40").id != value("40 €").id);
  BOOST_TEST(value("40 euros").id == value("40€").id);
  BOOST_TEST(value("12 pm").id == value("noon").id);
  BOOST_TEST(value("4 pm").id == value("16:00").id);
  BOOST_TEST(value("5 de mayo").id == value("on May 5").id);
  BOOST_CHECK(value("3-5 days").type == ValueType::duration);
}

BOOST_AUTO_TEST_CASE(languages) {
  auto language = [](const std::string& text) {
    std::vector<Word> words;
    split_words(text, words);
    return language_of(text, words);
  };
  BOOST_TEST(language("You can send it back to us within the week.") == "en");
  BOOST_TEST(language("Puedes enviarlo a la tienda en un plazo de diez días.") == "es");
  BOOST_TEST(language("Das Paket ist nicht bei uns, und wir suchen es.") == "de");
  BOOST_TEST(language("Мы отправили вам посылку") == "cyrillic");
  BOOST_TEST(language("42") == "");
}

BOOST_AUTO_TEST_CASE(packed_findings_come_back) {
  std::vector<Finding> all(3);
  all[0] = {nullptr, 0.25, {{1, 2, 3, 4}, {5}}, "found", ""};
  all[2] = {nullptr, 1, {}, "", std::string(300, 'x')};
  std::vector<Finding> back(1);
  unpack(packed(all), back);
  BOOST_REQUIRE(back.size() == 4u);
  BOOST_TEST(back[1].score == 0.25);
  BOOST_REQUIRE(back[1].places.size() == 2u);
  BOOST_TEST(back[1].places[0].end == 4u);
  BOOST_TEST(back[1].places[1].turn == no_turn);
  BOOST_TEST(back[1].found == "found");
  BOOST_TEST(back[3].expected == all[2].expected);
  BOOST_TEST(packed({}).empty());
}

BOOST_AUTO_TEST_CASE(similar_items_meet) {
  std::vector<std::vector<uint64_t>> items(40);
  for (uint64_t i = 0; i < items.size(); ++i)
    for (uint64_t k = 0; k < 30; ++k) items[i].push_back(i * 100 + k);
  items[7] = items[3];
  items[7].push_back(5555);
  std::vector<std::pair<uint32_t, uint32_t>> pairs;
  similar_pairs(
      uint32_t(items.size()), [&](uint32_t i, std::vector<uint64_t>& out) { out = items[i]; }, {},
      [&](uint32_t a, uint32_t b) { pairs.emplace_back(a, b); });
  BOOST_REQUIRE(pairs.size() == 1u);
  BOOST_TEST(pairs[0].first == 3u);
  BOOST_TEST(pairs[0].second == 7u);
}

BOOST_AUTO_TEST_CASE(personal_data_with_their_check_digits) {
  BOOST_TEST(kinds("Write to ann.b@example.org.") == "mail address;");
  BOOST_TEST(kinds("DE89 3704 0044 0532 0130 00 is it") == "IBAN;");
  BOOST_TEST(kinds("DE88 3704 0044 0532 0130 00 is not") == "");
  BOOST_TEST(kinds("card 4111 1111 1111 1111") == "card number;");
  BOOST_TEST(kinds("number 4111-1111-1111-1112") == "");
  BOOST_TEST(kinds("call +34 612 345 678") == "telephone number;");
  BOOST_TEST(kinds("(555) 123-4567") == "telephone number;");
  BOOST_TEST(kinds("DNI 12345678Z") == "identity number;");
  BOOST_TEST(kinds("ref 12345678A") == "");
  BOOST_TEST(kinds("1000-200-400 = 400, order QC-12345, 2024-05-01, 10:30") == "");
}

BOOST_AUTO_TEST_CASE(clean_records_have_no_findings) {
  for (const Finding& finding : run_checks(corpus_of(shop()), chosen_checks("", "")))
    BOOST_ERROR(finding.check->name << ": " << finding.found);
}

BOOST_AUTO_TEST_CASE(copies) {
  Pairs pairs = shop();
  pairs.push_back(pairs[2]);                                  // line 25
  pairs.emplace_back(pairs[4].first + "!", pairs[4].second);  // line 26
  BOOST_CHECK(named_by("duplicate", pairs) == Rows{25});
  BOOST_CHECK(named_by("near-duplicate", pairs) == Rows{26});
  const Corpus split =
      corpus_of(shop(), {shop()[5], {"Something else is asked here, or not?", "No."}});
  BOOST_CHECK(named_by("leak", split) == Rows{1});
}

BOOST_AUTO_TEST_CASE(values_and_words_that_differ) {
  Pairs pairs = shop();
  replace(pairs[7].second, "30 days", "two weeks");
  replace(pairs[3].second, "parcel", "package");
  replace(pairs[9].second, "parcel", "package");
  replace(pairs[16].second, "AB-41016", "#41016");
  const Corpus corpus = corpus_of(pairs);
  BOOST_CHECK(named_by("value-conflict", corpus) == Rows{8});
  BOOST_CHECK(named_by("id-format", corpus) == Rows{17});
  for (const Finding& finding : run_checks(corpus, chosen_checks("value-conflict", ""))) {
    BOOST_TEST(finding.found == "two weeks");
    BOOST_TEST(finding.expected == "30 days");
    BOOST_TEST(finding.places.size() >= 2u);
  }
}

BOOST_AUTO_TEST_CASE(forms) {
  Pairs pairs = shop();
  replace(pairs[5].second, "Hello Finn,", "Hey dude!");
  replace(pairs[8].second, "Yours truly,\nThe Shop", "Bye,\nTom");
  pairs[11].second.resize(pairs[11].second.find(" is open"));  // cut
  replace(pairs[20].second, "Yours", "On Monday, Eva Hill wrote:\n> where is it\n\nYours");
  pairs[14].second = "  ";
  const Corpus corpus = corpus_of(pairs);
  BOOST_CHECK(named_by("greeting", corpus).count(6));
  BOOST_CHECK(named_by("tone", corpus) == Rows{6});
  BOOST_CHECK(named_by("sign-off", corpus).count(9));
  BOOST_CHECK(!named_by("sign-off", corpus).count(12));
  BOOST_CHECK(named_by("cut", corpus) == Rows{12});
  BOOST_CHECK(named_by("quoted-mail", corpus) == Rows{21});
  BOOST_CHECK(named_by("empty", corpus) == Rows{15});
}

BOOST_AUTO_TEST_CASE(abbreviations_are_not_loud) {
  Pairs pairs;
  for (int i = 0; i < 40; ++i)
    pairs.emplace_back("Where is parcel " + std::to_string(i) + "?",
                       "Dear Tim, your parcel " + std::to_string(i) + " is on its way to you.");
  const char* calm[] = {" See www.lamphouse.com for more.", " It needs two AAA batteries.",
                        " It is model VIII.", " It has LED, USB, HDMI and WLAN.", " See EN ISO 9."};
  for (size_t i = 0; i < 5; ++i) pairs[i].second += calm[i];
  pairs[20].second = "Hey Tim! Your parcel is sooo on its way.";
  pairs[21].second = "Dear Tim, YOUR PARCEL is on its way, PLEASE WAIT.";
  BOOST_CHECK((named_by("tone", pairs) == std::set<uint32_t>{21, 22}));
}

BOOST_AUTO_TEST_CASE(answers_that_contradict) {
  Pairs pairs = shop();
  replace(pairs[1].second, "The parcel", "Returning is free. This costs 7 euros. The parcel");
  pairs.emplace_back("Is the shop open on Sunday?", "The garden behind the shop is open at night.");
  pairs.emplace_back("I like plants.", "The garden behind the shop is not open at night.");
  const Corpus corpus = corpus_of(pairs);
  BOOST_CHECK(named_by("self-contradiction", corpus) == Rows{2});
  BOOST_CHECK(named_by("contradiction", corpus) == Rows{26});
  pairs.emplace_back("What is the capital of the land?", "It is the town of Lirra, by the sea.");
  pairs.emplace_back("What is the capital of the land?", "Nobody knows which place that was.");
  BOOST_CHECK(named_by("same-question", pairs) == Rows{28});
}

// 12 answers each about single, double and family rooms, which differ in their price.
Pairs hotel() {
  Pairs pairs;
  const char* rooms[] = {"single", "double", "family"};
  const char* prices[] = {"95", "130", "185"};
  for (int room = 0; room < 3; ++room)
    for (int i = 0; i < 12; ++i)
      pairs.emplace_back(std::string("What does the ") + rooms[room] + " room cost?" +
                             (i % 2 ? " We come in spring." : " I look forward to it."),
                         std::string("The ") + rooms[room] + " room costs " + prices[room] +
                             " pounds a night. " + (i % 3 ? "Dogs are welcome here. " : "") +
                             "You reach us in the garden house by the lake " +
                             (i % 2 ? "all day." : "at any hour."));
  return pairs;
}

BOOST_AUTO_TEST_CASE(things_have_values_of_their_own) {
  Pairs pairs = hotel();
  pairs.emplace_back("What does the garden room cost?",
                     "The garden room costs 145 pounds a night. Dogs are welcome here.");
  BOOST_CHECK(named_by("value-conflict", pairs).empty());
  replace(pairs[15].second, "130", "110");
  BOOST_CHECK(named_by("value-conflict", pairs) == Rows{16});
  replace(pairs[4].second, "Dogs are welcome", "Dogs are not welcome");
  BOOST_CHECK(named_by("contradiction", pairs) == Rows{5});
}

BOOST_AUTO_TEST_CASE(records_about_two_things_are_no_copies) {
  Pairs pairs = hotel();
  pairs.emplace_back("Is breakfast part of the price of the single room, or is it extra?",
                     "Yes, breakfast is part of it, and we serve it until ten.");
  pairs.emplace_back("Is breakfast part of the price of the garden room, or is it extra?",
                     "Yes, breakfast is part of it, and we serve it until ten.");
  BOOST_CHECK(!named_by("near-duplicate", pairs).count(38));
  pairs.emplace_back("is breakfast part of the price of the garden room, or is it extra",
                     pairs.back().second);
  pairs.push_back(pairs.back());
  BOOST_CHECK((named_by("near-duplicate", pairs) == Rows{37, 39} ||
               named_by("near-duplicate", pairs).count(39)));
  BOOST_CHECK(!named_by("near-duplicate", pairs).count(40));
  BOOST_CHECK(named_by("duplicate", pairs).count(40));
}

BOOST_AUTO_TEST_CASE(a_direct_answer_answers) {
  Pairs pairs = hotel();
  pairs.emplace_back("Is there a bathtub in the double room?", "Yes, there is one with a view.");
  BOOST_CHECK(!named_by("no-answer", pairs).count(37));
}

BOOST_AUTO_TEST_CASE(a_choice_of_words_is_no_term) {
  Pairs pairs = shop();
  for (size_t i = 0; i < pairs.size(); ++i)
    replace(pairs[i].second, "You can",
            i % 2 ? "We are glad that you can" : "We are pleased that you can");
  BOOST_CHECK(named_by("term", pairs).empty());
}

BOOST_AUTO_TEST_CASE(values_in_other_scripts) {
  BOOST_TEST(value("您可以在30天内退货").id == value("30 days").id);
  BOOST_TEST(value("运费12元").id != value("运费15元").id);
  BOOST_TEST(value("3个月").id == value("3 months").id);
  BOOST_TEST(value("30일").id == value("30 days").id);
  Pairs pairs;
  for (int i = 0; i < 24; ++i)
    pairs.emplace_back("我想退货。订单" + std::to_string(i),
                       "您可以在30天内退货。请把包裹寄到我们的商店。");
  replace(pairs[9].second, "30", "14");
  BOOST_CHECK(named_by("value-conflict", pairs) == Rows{10});
}

BOOST_AUTO_TEST_CASE(languages_of_answers) {
  Pairs pairs = shop();
  pairs[10].second =
      "Puedes devolver la lámpara a la tienda en un plazo de treinta días, y es gratis.";
  BOOST_CHECK(named_by("language", pairs) == Rows{11});
}

BOOST_AUTO_TEST_CASE(checks_are_chosen_by_name_and_group) {
  BOOST_TEST(chosen_checks("duplicates", "").size() == 2u);
  BOOST_TEST(chosen_checks("", "form").size() < chosen_checks("", "").size());
  BOOST_CHECK_EXCEPTION(chosen_checks("duplicat", ""), Error, [](const Error& error) {
    return std::string(error.what()).find("did you mean 'duplicate") != std::string::npos;
  });
  for (const Check& check : checks()) {
    BOOST_TEST(!check.summary.empty(), check.name);
    BOOST_TEST(check.why.ends_with("."), check.name);
    BOOST_TEST(check.advice.ends_with("."), check.name);
  }
}

// Two forms of a house, and a number that everybody is told, are no faults.
BOOST_AUTO_TEST_CASE(what_many_answers_have_is_the_houses_own) {
  const std::string farewell = "\nYours truly,\nThe Shop";
  Pairs pairs = shop();
  for (size_t i : {3u, 17u}) replace(pairs[i].second, farewell, "");
  BOOST_CHECK((named_by("sign-off", pairs) == std::set<uint32_t>{4, 18}));
  for (size_t i = 4; i < 12; ++i) replace(pairs[i].second, farewell, "");
  BOOST_CHECK(named_by("sign-off", pairs).empty());

  pairs = shop();
  for (size_t i = 0; i < 10; ++i)
    replace(pairs[i].second, "is open.", "is open. Call 01632 960877 for the rest.");
  BOOST_CHECK(named_by("id-format", pairs).empty());
}

// A file of few kinds of letters has its terms in few places.
BOOST_AUTO_TEST_CASE(terms_of_two_kinds_of_letters) {
  Pairs pairs;
  const char* things[] = {"mirror", "oak table", "wool rug", "bookcase", "lamp"};
  const char* names[] = {"Ana", "Ben", "Cleo", "Dev", "Emma", "Finn", "Gus"};
  for (int i = 0; i < 40; ++i) {
    const std::string thing = things[i % 5];
    const std::string body = i < 20 ? " arrives in 8 days. The driver calls you before the parcel "
                                      "is brought."
                                    : " can be sent back within 60 days. We collect the parcel at "
                                      "your door.";
    pairs.emplace_back((i < 20 ? "When does it arrive, the " : "Can I send it back, the ") + thing,
                       std::string("Hello ") + names[i % 7] + ",\nThank you for asking. The " +
                           thing + body + "\nBest wishes,\nHolm Furniture");
  }
  for (size_t i : {4u, 9u}) replace(pairs[i].second, "parcel", "package");
  BOOST_CHECK((named_by("term", pairs) == std::set<uint32_t>{5, 10}));
}

// A finding's words end where a character does.
BOOST_AUTO_TEST_CASE(what_was_found_is_whole_characters) {
  Pairs pairs = shop();
  std::string quoted = "\n> x";
  for (int i = 0; i < 70; ++i) quoted += "\u00e9";
  pairs[20].second += quoted;
  const Corpus corpus = corpus_of(pairs);
  const auto found = run_checks(corpus, chosen_checks("quoted-mail", ""));
  BOOST_REQUIRE(found.size() == 1u);
  BOOST_TEST(is_utf8(found[0].found), found[0].found);
  BOOST_TEST(first_bytes("a\u00e9", 2) == "a");
  BOOST_TEST(first_bytes("a\u00e9", 3) == "a\u00e9");
}

BOOST_AUTO_TEST_SUITE_END()
