// Words, values and statements that few records have: a variant in one sentence, a value of its
// own, two answers about a thing.
#include "data/checks/one_thing.h"

#include "data/checks/id_fronted.h"

#include "test/data/checks/records.h"

using namespace afina;

BOOST_AUTO_TEST_SUITE(few_records)

BOOST_AUTO_TEST_CASE(a_word_in_a_sentence_that_is_otherwise_said_with_another) {
  const char* said[] = {
      "The parcel goes to our store.",       "A parcel has two labels at most.",
      "We bring the parcel to your door.",   "Leave the parcel with a neighbour.",
      "The parcel is packed by our sister.", "Tape the parcel at the top and side.",
      "Every parcel is insured with us.",    "Nobody opens the parcel on the way."};
  const char* asked[] = {"Where does it go?",  "How is it marked?", "Do you come here?",
                         "I am away.",         "Who packs it?",     "How is it shut?",
                         "What if it breaks?", "Is it safe?"};
  Pairs pairs;
  for (int i = 0; i < 24; ++i)
    pairs.emplace_back(asked[i % 8], std::string(said[i % 8]) + " Ring us before noon.");
  BOOST_CHECK(named_by("term", pairs).empty());
  replace(pairs[4].second, "parcel", "bundle");
  BOOST_CHECK(named_by("term", pairs) == Rows{5});
  // What is asked about is no other word for something.
  for (size_t i : {4u, 5u, 6u}) pairs[i].first += " I mean the bundle.";
  BOOST_CHECK(named_by("term", pairs).empty());
}

BOOST_AUTO_TEST_CASE(a_word_with_places_of_its_own_is_no_other_word) {
  Pairs pairs;
  for (int i = 0; i < 36; ++i) {
    const std::string own = {'k', char('a' + i % 6), 'n', char('a' + i / 6), 'r'};
    pairs.emplace_back(
        "Is it " + own + "?",
        (i % 3 ? "Then we check the lamp with a " : "Here they check a bulb by ") + own + ".");
  }
  replace(pairs[4].second, "check", "test");
  replace(pairs[7].second, "check", "test");
  BOOST_CHECK((named_by("term", pairs) == Rows{5, 8}));
  for (size_t i = 0; i < 18; i += 3) pairs[i].second += " A test by hand is free.";
  BOOST_CHECK(named_by("term", pairs).empty());
}

BOOST_AUTO_TEST_CASE(a_value_that_no_answer_about_the_same_has_in_whatever_words) {
  Pairs pairs = shop();
  const char* said[] = {"A repair of the boiler costs 40 pounds.",
                        "40 pounds is what we ask for when the boiler needs a repair.",
                        "For 40 pounds the boiler gets its repair, and 9 pounds is for coming.",
                        "Have the boiler put right by us for 40 pounds: a repair takes an hour.",
                        "You pay 40 pounds, and the repair of your boiler is done."};
  for (const char* one : said)
    pairs.emplace_back("My boiler needs a repair, what is the price?", one);
  BOOST_CHECK(named_by("value-conflict", pairs).empty());
  pairs.emplace_back("Who can do a repair of a boiler, and at what price?",
                     "We come to look after it: as a repair, the boiler is 55 pounds.");
  BOOST_CHECK(named_by("value-conflict", pairs) == Rows{30});
  // Beside that of the others, or where it was asked for, it is something else.
  pairs.back().second += " Or 40 pounds in May.";
  BOOST_CHECK(named_by("value-conflict", pairs).empty());
  replace(pairs.back().second, " Or 40 pounds in May.", "");
  pairs.back().first += " My neighbour paid 55 pounds.";
  BOOST_CHECK(named_by("value-conflict", pairs).empty());
}

BOOST_AUTO_TEST_CASE(identifiers_with_the_houses_letters_and_other_marks) {
  size_t end = 0;
  const std::string text = "See XFD/26/61380, FD(26) 61.380 and F.D./26/61380.";
  const size_t first = find_fronted(text, "FD", 7, 0, end);
  BOOST_TEST(text.substr(first, end - first) == "FD(26) 61.380");
  const size_t second = find_fronted(text, "FD", 7, end, end);
  BOOST_TEST(text.substr(second, end - second) == "F.D./26/61380");
  BOOST_CHECK(find_fronted(text, "FD", 7, end, end) == std::string::npos);
  BOOST_CHECK(find_fronted("FD 26 and 61380", "FD", 7, 0, end) == std::string::npos);
  BOOST_CHECK(find_fronted("FD/26/613805", "FD", 7, 0, end) == std::string::npos);
  for (const char* apart : {"FD-207, £4500", "FD-207: 4500", "FD-207. 4500", "FD 207\n4500"})
    BOOST_TEST((find_fronted(apart, "FD", 7, 0, end) == std::string::npos), apart);
  Pairs pairs = shop();
  replace(pairs[5].second, "AB-41005", "AB:41/005");
  BOOST_CHECK(named_by("id-format", pairs) == Rows{6});
}

BOOST_AUTO_TEST_CASE(dates_are_no_telephones) {
  BOOST_TEST(kinds("He wrote on 13.11.2026 17:05 and on 2026-11-13 08.30 again.") == "");
  BOOST_TEST(kinds("Ring me on 020 7946 0958.") == "telephone number;");
}

BOOST_AUTO_TEST_CASE(two_answers_alone_about_a_thing) {
  auto found = [](const std::string& one, const std::string& other) {
    Pairs pairs = shop();
    pairs.emplace_back("What of the copper pan?", one);
    pairs.emplace_back("I have a fleece, can I use the copper pan for it?", other);
    return named_by("contradiction", pairs);
  };
  const std::string holds = "The copper pan holds five litres.";
  BOOST_CHECK(found(holds, "The copper pan takes nine litres, which is enough.") == Rows{26});
  BOOST_CHECK(found(holds, "The copper pan takes five litres, which is enough.").empty());
  const std::string kept = "The copper pan is kept in the garden.";
  BOOST_CHECK(found(kept, "You can, as the copper pan is never kept there.") == Rows{26});
  BOOST_CHECK(found(kept, "No, never, as the copper pan is kept by a colleague.").empty());
}

BOOST_AUTO_TEST_SUITE_END()
