// What stands beside a letter and is no part of it, copies to somebody else, and numbers that words
// tell to be personal.
#include <boost/test/unit_test.hpp>

#include "test/data/checks/records.h"

using namespace afina;

BOOST_AUTO_TEST_SUITE(forms_beside)

BOOST_AUTO_TEST_CASE(personal_data_that_words_tell) {
  BOOST_TEST(kinds("Your passport, no. KLM 882013, is here.") == "identity number;");
  BOOST_TEST(kinds("Bring your passport by 21 November 2027.") == "");
  BOOST_TEST(kinds("DNI 11.222.333-Q") == "identity number;");
  BOOST_TEST(kinds("Pay to sort code 11-22-33, account 44556677.") == "account number;");
  BOOST_TEST(kinds("Score 11-22-33.") == "");
  BOOST_TEST(kinds("He lives at 7 Gull's Row, Hove.") == "postal address;");
  BOOST_TEST(kinds("Open 7 days, Bath Road.") == "");
  BOOST_TEST(kinds("Vive en la calle de Oca, 12.") == "postal address;");
  BOOST_TEST(kinds("La calle Oca abre a las 12:00.") == "");
  BOOST_TEST(kinds("at XQ4 7ZZ") == "postal address;");
  BOOST_TEST(kinds("your card 4111 1111 1111 1112") == "card number;");
  BOOST_TEST(kinds("our account DE88 3704 0044 0532 0130 00") == "IBAN;");
  BOOST_TEST(kinds("file 05123/2024") == "");
}

BOOST_AUTO_TEST_CASE(numbers_that_are_nobodys) {
  for (const char* text :
       {"Your passport is valid until 2026-05-12.", "The passport office opens 09.00-17.30.",
        "Seguridad social: hay 1.250.000 afiliados", "Sie haben nie bezahlt, Nummer 1234567",
        "A work permit of 2024 2025 costs the same", "the cardboard has 4000 1234 1234 1235 on it",
        "Contact us about AB12 3456 7890 1234 5678", "the Galaxy S2 4GB", "20 Old Drive folders",
        "la carretera A 3 km", "The bank opens on 25-12-26, account 20261225"})
    BOOST_TEST(kinds(text) == "", text);
  BOOST_TEST(kinds("La transferencia de DE88 3704 0044 0532 0130 00") == "IBAN;");
}

BOOST_AUTO_TEST_CASE(letters_to_somebody_else) {
  Pairs pairs = shop();
  replace(pairs[2].first, "kettle.", "kettle that leaks from its spout.");
  replace(pairs[2].second, "The parcel",
          "We mend the spout of any kettle and send it to you free "
          "of charge where it was not dropped. The parcel");
  pairs.push_back(pairs[2]);
  replace(pairs[24].first, "Cleo", "Ben");
  replace(pairs[24].second, "Cleo", "Ben");
  pairs.push_back(pairs[24]);
  replace(pairs[25].second, "41002", "41999");  // another order is another case
  BOOST_CHECK(named_by("near-duplicate", pairs) == Rows{25});
  // A name that belongs to the question's sentence is not the writer's.
  replace(pairs[2].first, ". Cleo", " and was sold by Cleo");
  replace(pairs[24].first, ". Ben", " and was sold by Ben");
  BOOST_CHECK(named_by("near-duplicate", pairs).empty());
}

BOOST_AUTO_TEST_CASE(the_question_below_and_lines_above) {
  Pairs pairs = shop();
  pairs[3].second += "\n\nSent by a phone";
  pairs[5].second += "\n\nFrom the desk of Finn\n" + pairs[5].first;
  pairs[7].second = "Scanned: no harm found.\nVia: relay 4\n\n" + pairs[7].second;
  const Corpus corpus = corpus_of(pairs);
  BOOST_CHECK((named_by("quoted-mail", corpus) == Rows{6, 8}));
  BOOST_CHECK(named_by("sign-off", corpus).empty());
}

// A letter below sentences is one that the answer drafts.
BOOST_AUTO_TEST_CASE(drafts_are_not_quoted) {
  Pairs pairs = shop();
  pairs[3].second = "You could write:\n\n" + pairs[3].second;
  pairs[5].second = "Here is one that you can send.\n\n" + pairs[5].second;
  pairs[7].second = "Via: relay 4\nTo: the shop\n\n" + pairs[7].second;
  BOOST_CHECK(named_by("quoted-mail", pairs) == Rows{8});
}

// The finding shows what is loud, not the greeting above it.
BOOST_AUTO_TEST_CASE(where_an_answer_is_loud) {
  Pairs pairs = shop();
  replace(pairs[3].second, "our store.", "our store!!!");
  const Corpus corpus = corpus_of(pairs);
  const std::vector<Finding> found = run_checks(corpus, chosen_checks("tone", ""));
  BOOST_REQUIRE(found.size() == 1u);
  const PiecePlace& place = found[0].places[0];
  BOOST_TEST(corpus.text(place.turn).substr(place.begin, place.end - place.begin) ==
             "The parcel goes to our store!!!");
}

BOOST_AUTO_TEST_SUITE_END()
