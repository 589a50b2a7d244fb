// What a house writes in several ways, and whose numbers are nobody's: findings and none.
#include "data/checks/personal_patterns.h"
#include "data/checks/quoted_mail.h"
#include "test/data/checks/records.h"

using namespace afina;

namespace {

// Each answer of the shop with this greeting and these last lines instead of its own.
Pairs letters(const std::vector<std::string>& greetings, const std::vector<std::string>& signs) {
  Pairs pairs = shop();
  for (size_t i = 0; i < pairs.size(); ++i) {
    std::string& answer = pairs[i].second;
    answer = greetings[i % greetings.size()] + answer.substr(answer.find('\n'));
    replace(answer, "Yours truly,\nThe Shop", signs[i % signs.size()]);
  }
  return pairs;
}

bool quotes(const std::string& text) { return quoted_from(text) < text.size(); }

}  // namespace

BOOST_AUTO_TEST_SUITE(house_forms)

BOOST_AUTO_TEST_CASE(several_greetings_and_farewells) {
  const std::vector<std::string> greetings = {"Estimada Ana:", "Estimado Juan:", "Hola, Eva:"};
  const std::vector<std::string> signs = {"Un saludo,\nLa Tienda", "Gracias,\nLa Casa Azul",
                                          "Hasta pronto,\nEl equipo"};
  Pairs pairs = letters(greetings, signs);
  for (const char* check : {"greeting", "sign-off", "tone"})
    BOOST_TEST(named_by(check, pairs).empty(), check);
  pairs[7].second = "Buenas!" + pairs[7].second.substr(pairs[7].second.find('\n'));
  replace(pairs[10].second, "Gracias,\nLa Casa Azul", "Chao,\nPepe");
  BOOST_CHECK(named_by("greeting", pairs) == Rows{8});
  BOOST_CHECK(named_by("sign-off", pairs) == Rows{11});
}

// "Cheers, Acme" is a farewell, though the house's own begins with its last word.
BOOST_AUTO_TEST_CASE(a_farewell_is_no_cut_sign_off) {
  Pairs pairs = letters({"Hi Ann."}, {"Acme Support"});
  replace(pairs[4].second, "Acme Support", "Cheers, Acme");
  replace(pairs[5].second, "Acme Support", "~ Jo, Acme Support");
  replace(pairs[6].second, "Acme Support", "Acme");  // cut
  replace(pairs[7].second, "The parcel goes to our store.\nAcme Support", "\nThe parcel goes");
  BOOST_CHECK((named_by("sign-off", pairs) == Rows{5, 6}));
  BOOST_CHECK((named_by("cut", pairs) == Rows{7, 8}));
}

// Letters that vary are no other form; a mark, a case or a length is.
BOOST_AUTO_TEST_CASE(identifiers_of_any_shape) {
  Pairs pairs = shop();
  for (size_t i = 0; i < pairs.size(); ++i) {
    const std::string number = std::to_string(41000 + i);
    const std::string own = (i % 2 ? "XR-" : "XV-") + number + "-" + char('A' + i % 7);
    replace(pairs[i].second, "AB-" + number, own);
    pairs[i].first += " My number is " + own;
  }
  BOOST_TEST(named_by("id-format", pairs).empty());
  replace(pairs[3].second, "XR-41003-D", "xr-41003-d");
  replace(pairs[8].second, "XV-41008-B", "XV 41 008 B");
  replace(pairs[9].second, "XR-41009-C", "XR41009C");
  BOOST_CHECK((named_by("id-format", pairs) == Rows{4, 9, 10}));
}

BOOST_AUTO_TEST_CASE(the_houses_own_numbers_are_not_personal) {
  Pairs pairs = shop();
  for (size_t i : {2u, 9u, 13u, 20u})
    replace(pairs[i].second, "is open.", "is open. The desk is at 01632 960877.");
  replace(pairs[4].second, "is open.", "is open. Write to desk@acmeshop.example.");
  replace(pairs[5].second, "is open.", "is open. It was paid for by ann@other.example.");
  for (auto& [question, answer] : pairs) replace(answer, "The Shop", "Acmeshop Ltd");
  BOOST_CHECK(named_by("personal-data", pairs) == Rows{6});
}

BOOST_AUTO_TEST_CASE(births_and_insurance_numbers) {
  auto kind = [](const std::string& text) {
    std::vector<PersonalPiece> pieces;
    find_personal(text, pieces);
    return pieces.empty() ? std::string() : std::string(pieces[0].kind);
  };
  for (const char* text :
       {"Ann Lee, born 25 March 1956", "date of birth: 12/05/1987", "nacida el 3 de mayo de 1980",
        "geboren am 03.05.1980", "n\u00e9e le 3 mai 1980", "born on May 3, 1980"})
    BOOST_TEST(kind(text) == "date of birth", text);
  for (const char* text :
       {"for kittens born after 1 May 2020", "born in 1980", "a newborn on 3 May 2020"})
    BOOST_TEST(kind(text) == "", text);
  BOOST_TEST(kind("number QQ 12 34 56 C") == "identity number");
}

BOOST_AUTO_TEST_CASE(forms_of_quoted_mail) {
  for (const char* text :
       {"Yes.\n\nMr Lee wrote on 3 May 2025:\n| Is it open?",
        "S\u00ed.\n\nAna escribi\u00f3 el 3 de mayo:\n| x",
        "Yes.\n\nOn 3 May 2025, Ann Lee <ann@other.example>\nwrote:\nIs it open?",
        "Yes.\n\n________\nFrom: Ann\nDate: 3 May\n\nIs it open?",
        "Yes.\n\n[17:47] Ann Lee: Is it open?", "Yes.\n\nFwd: Re: a question\nIs it open?",
        "Ann Lee (14:48): Is it open?\n\nYes.",
        "--- Chat transcript 5 Apr ---\nIs it open?\n\nYes.",
        "Yes.\n\n| Good day.\n|\n| Is it open?"})
    BOOST_TEST(quotes(text), text);
  for (const char* text :
       {"We wrote to you:\nit is open.", "| day | hours |\n| Monday | 9 to 5 |",
        "Re: your letter\nIt is open.", "From: Oban\nTo: Barra",
        "Open (9:00 to 17:00): the shop.\nYes.", "*** Please note ***\nIt is open.",
        "The folders are:\n|-- src\n|-- test", "match x with\n| Some y -> y\n| None -> \"no.\"",
        "Count them:\ncat log \\\n| grep now \\\n| wc -l", "```\n| It is\n| a poem.\n```",
        "day | hours\n| Monday\n| Tuesday"})
    BOOST_TEST(!quotes(text), text);
  // The house's own farewell stands above what is quoted, whatever a program wrote below.
  Pairs pairs = shop();
  pairs[4].second += "\n\n> Is it open?\n> Eva\n\nSent from my phone";
  pairs[9].second += "\n\n> Is it open?\n> Eva\n\nBye, Tom";
  BOOST_CHECK(named_by("sign-off", pairs) == Rows{10});
}

// A price's rate is no duration, and an article before a currency no amount.
BOOST_AUTO_TEST_CASE(rates_and_articles_are_no_values) {
  auto types = [](const std::string& text) {
    std::vector<Word> words;
    std::vector<Value> values;
    split_words(text, words);
    find_values(text, words, values);
    std::vector<ValueType> all;
    for (const Value& value : values) all.push_back(value.type);
    return all;
  };
  BOOST_CHECK(types("It costs \u00a33 a day.") == std::vector{ValueType::price});
  BOOST_CHECK(types("There is a \u00a330 fee.") == std::vector{ValueType::price});
  BOOST_CHECK(types("It lasts a day.") == std::vector{ValueType::duration});
}

// "Thanks" below a question is no topic, though answers thank as well.
BOOST_AUTO_TEST_CASE(thanks_tell_no_records_apart) {
  Pairs pairs = shop();
  for (size_t i = 0; i < pairs.size(); ++i) {
    replace(pairs[i].second, "You can", "Thanks for writing. You can");
    if (i % 3 == 0) pairs[i].first += ". Thanks";
  }
  pairs.emplace_back(pairs[4].first + ". Thanks", pairs[4].second);
  BOOST_CHECK(named_by("near-duplicate", pairs) == Rows{25});
}

BOOST_AUTO_TEST_CASE(lines_below_the_farewell_and_letters_to_another_person) {
  Pairs pairs = shop();
  pairs[3].second += "\n\nDeposits Desk\nUnit 4, Quay Road";
  pairs[8].second += "\n\nP.S. We are closed on Monday.";
  BOOST_CHECK(named_by("mail-footer", pairs) == Rows{4});
  // The writer's name is no difference, wherever it stands; what is asked for is.
  Pairs letters = shop();
  const std::string body =
      ",\nThe repair of a brass lamp takes nine days, and we call you as soon as "
      "it is ready to be taken home. Until then it stays in our workshop, where it "
      "is insured.\nYours truly,\nThe Shop";
  letters.emplace_back("I'm Dana Petrov. How long is a repair?", "Hello Dana" + body);
  letters.emplace_back("I'm Milo Strand. How long is a repair?", "Hello Milo" + body);
  BOOST_CHECK(named_by("near-duplicate", letters) == Rows{26});
  letters[24].first = "Is Dana Hall open? How long is a repair?";
  letters[25].first = "Is Milo Church open? How long is a repair?";
  BOOST_CHECK(named_by("near-duplicate", letters).empty());
  letters[24].first = "I'm Dana Petrov. How long is a repair?";
  letters.back().first = "I'm Milo Strand. Who does a repair?";
  BOOST_CHECK(named_by("near-duplicate", letters).empty());
}

BOOST_AUTO_TEST_CASE(greetings_of_two_parts) {
  Pairs pairs;
  for (const char* name : {"Ada", "Ben", "Cleo", "Dan", "Eva", "Finn"})
    for (const char* thing : {"kettle", "toaster", "lamp", "mixer"})
      pairs.emplace_back(std::string("Where is the ") + thing + "?",
                         std::string("Good day, ") + name + ":\n\nThe " + thing +
                             " is on the shelf.\n\nYours,\nThe Shop");
  const Corpus corpus = corpus_of(pairs);
  for (const Answer& answer : corpus.answers()) {
    BOOST_TEST(answer.greets);
    BOOST_TEST(corpus.text(answer.turn).substr(0, answer.body_begin).ends_with(":"));
  }
}

// A capital sharp s is longer than a small one: places in lower case are places in the text.
BOOST_AUTO_TEST_CASE(footers_behind_letters_that_change_their_length) {
  Pairs pairs = shop();
  pairs[3].second = "GRO\u1E9EE STRA\u1E9EE 4\nVon meinem iPhone gesendet";
  pairs[5].first += " The parcel was sent from my sister.";
  const Corpus corpus = corpus_of(pairs);
  const std::vector<Finding> found = run_checks(corpus, chosen_checks("mail-footer", ""));
  BOOST_REQUIRE(found.size() == 1u);
  const PiecePlace& place = found[0].places[0];
  BOOST_TEST(corpus.text(place.turn).substr(place.begin, 3) == "Von");
  BOOST_TEST(lower_in_place("\u1E9E\u2126\u00C9A") == "\u1E9E\u2126\u00E9a");
}

BOOST_AUTO_TEST_CASE(postscripts_and_notes_are_no_footers) {
  for (const char* note : {"P.P.S. We open at nine.", "(PS: bring a bag)", "**PS:** a bag",
                           "Enc. 1 form", "Postdata: hasta pronto", "P.-S. Bye", "cc: Tom"}) {
    Pairs pairs = shop();
    pairs[3].second += std::string("\n\n") + note;
    BOOST_TEST(named_by("mail-footer", pairs).empty(), note);
  }
}

BOOST_AUTO_TEST_CASE(equal_answers_to_one_question) {
  Pairs pairs = shop();
  pairs.emplace_back("Is the old lamp still there?", "It is.");
  pairs.emplace_back("Is the old lamp still there?", "It is.");
  BOOST_CHECK(named_by("same-question", pairs).empty());
}

BOOST_AUTO_TEST_SUITE_END()
