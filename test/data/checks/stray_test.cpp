// Sentences that do not belong where they stand, in a file of letters about a few things.
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <set>

#include "data/checks/aside_pairs.h"
#include "data/checks/beside.h"
#include "data/checks/check.h"
#include "data/checks/clash.h"
#include "data/checks/company.h"
#include "data/checks/phrases.h"
#include "data/checks/sentence_form.h"
#include "data/checks/stray.h"
#include "data/checks/stray_measures.h"
#include "data/checks/stray_nets.h"

using namespace afina;

namespace {

struct Letter {
  std::string asked;
  std::vector<std::string> said;
};

// A pool of a bath house: six things that are asked, each in two ways, three facts about each.
std::vector<Letter> letters() {
  struct Topic {
    const char *asked[2], *said[3];
  };
  const Topic topics[] = {
      {{"What does a swim cost?", "How much is the entrance?"},
       {"The entrance is 6 euros.", "Pay it at the wheel.", "Pupils pay half at the wheel."}},
      {{"May I bring my own towel?", "Do you lend towels?"},
       {"A towel is lent for 2 euros.", "Hang the towel on the rack.",
        "Wet towels go into the net."}},
      {{"When is the sauna warm?", "Is there a sauna?"},
       {"The sauna is warm from 3 pm.", "Sit on a cloth in the sauna.",
        "The stove burns birch wood."}},
      {{"Can my son learn diving?", "Is there a course for diving?"},
       {"The diving course lasts 5 days.", "A diver teaches it.",
        "The deep basin is used for it."}},
      {{"Where do I leave my coat?", "Are there lockers for a coat?"},
       {"A locker takes a coin of 1 euro.", "Coats hang left of the lockers.",
        "Keys of lockers are worn on the wrist."}},
      {{"How deep is the basin?", "Is the basin deep enough for jumps?"},
       {"The basin is 4 metres deep.", "Jumps are allowed from the block.",
        "The block stands at the basin's end."}}};
  const char *moods[] = {"Thank you for your letter.", "We are glad that you write."},
             *ends[] = {"The bath house is open all year.", "We are happy when you come."};
  std::vector<Letter> all;
  for (int i = 0; i < 180; ++i) {
    const Topic& topic = topics[i % 6];
    Letter letter{topic.asked[i / 6 % 2], {}};
    if (i % 3 != 1) letter.said.push_back(moods[i / 2 % 2]);
    for (int k = 0; k < 3; ++k)
      if ((i / 6 + k) % 4 != 3) letter.said.push_back(topic.said[k]);
    if (i % 4 == 2) letter.said.push_back(ends[i / 4 % 2]);
    all.push_back(letter);
  }
  return all;
}

Corpus corpus_of(const std::vector<Letter>& letters) {
  std::vector<Example> examples;
  for (const Letter& letter : letters) {
    std::string said;
    for (const std::string& one : letter.said) said += (said.empty() ? "" : " ") + one;
    Example example;
    example.messages = {{"user", letter.asked}, {"assistant", said}};
    example.place = "letters.jsonl, line " + std::to_string(examples.size() + 1);
    examples.push_back(example);
  }
  Corpus corpus;
  corpus.add("letters.jsonl", examples, false);
  corpus.finish();
  return corpus;
}

std::set<uint32_t> named_by(const std::string& check, const Corpus& corpus) {
  std::set<uint32_t> rows;
  for (const Finding& finding : run_checks(corpus, chosen_checks(check, "")))
    rows.insert(finding.places[0].record);
  return rows;
}
using Rows = std::set<uint32_t>;

}  // namespace

BOOST_AUTO_TEST_SUITE(stray_sentences)

BOOST_AUTO_TEST_CASE(form_of_a_sentence) {
  auto order = [](const std::string& text) {
    std::vector<Word> words;
    split_words(text, words);
    return is_order(text, words);
  };
  BOOST_TEST(order("Send the form to us."));
  BOOST_TEST(order("Please take it with you."));
  BOOST_TEST(!order("Parking is free."));
  BOOST_TEST(!order("Later it is shut."));
  BOOST_TEST(says_yes_or_no("Yes, both."));
  BOOST_TEST(!says_yes_or_no("Nobody knows."));
}

BOOST_AUTO_TEST_CASE(what_belongs_has_company) {
  std::vector<Letter> all = letters();
  all[18].said.push_back("Zounds, whippersnapper, gadzooks and hullabaloo!");
  const Corpus corpus = corpus_of(all);
  Neighbourhood near(corpus);
  near.look_at(18);
  const uint32_t last = corpus.answers()[18].sentences - 1;
  BOOST_TEST(near.of(1).asked > 3);
  BOOST_TEST(near.of(1).asked_share > 0.3);
  BOOST_TEST(near.of(last).asked <= 0);
  BOOST_TEST(near.of(last).rest <= 0);
  BOOST_TEST(near.nearest_question() > 0.9);
}

BOOST_AUTO_TEST_CASE(each_kind_is_told_from_the_others) {
  std::vector<Letter> all = letters();
  BOOST_TEST(corpus_of(all).stray().knows());
  for (const char* check : {"tone", "unclear", "no-answer", "self-contradiction"})
    BOOST_CHECK_MESSAGE(named_by(check, corpus_of(all)).empty(), check);
  for (size_t i : {31u, 74u})
    all[i].said.insert(all[i].said.begin() + 1, "Zounds, whippersnapper, what hullabaloo!");
  for (size_t i : {25u, 98u})
    all[i].said.push_back("Please arrange whatever seems suitable in such circumstances.");
  for (size_t i : {53u, 110u}) all[i].said = {"Opinions vary.", "Somebody else might know."};
  all[120].said.push_back("The entrance is never paid at the wheel.");
  const Corpus corpus = corpus_of(all);
  BOOST_CHECK((named_by("tone", corpus) == Rows{31, 74}));
  BOOST_CHECK((named_by("unclear", corpus) == Rows{25, 98}));
  // The facts of this small file are said so often that the order may drown them.
  Rows unanswered = named_by("no-answer", corpus);
  unanswered.erase(25);
  BOOST_CHECK((unanswered == Rows{53, 110}));
  BOOST_CHECK((named_by("self-contradiction", corpus) == Rows{120}));
}

BOOST_AUTO_TEST_CASE(what_applies_to_the_case_of_the_question_contradicts_nothing) {
  std::vector<Letter> all = letters();
  for (size_t i : {48u, 120u}) all[i].said.push_back("At 90 cents the entrance is never paid.");
  all[48].asked += " I have 90 cents.";
  BOOST_CHECK((named_by("self-contradiction", corpus_of(all)) == Rows{120}));
}

BOOST_AUTO_TEST_CASE(a_file_without_topics_is_left_alone) {
  std::vector<Letter> all;
  for (int i = 0; i < 60; ++i) {
    std::string one = "w", other = "v";
    for (int k = i; k > 0; k /= 3) one += char('a' + k % 3);
    for (int k = i; k > 0; k /= 4) other += char('k' + k % 4);
    all.push_back(
        {"What is a " + one + "?", {"It is a " + other + ".", "Take the " + other + "s."}});
  }
  const Corpus corpus = corpus_of(all);
  BOOST_TEST(!corpus.stray().knows());
  BOOST_TEST(corpus.stray().vague(1) == 0);
}

// The square of these sentences would be minutes.
BOOST_AUTO_TEST_CASE(a_long_answer_takes_time_in_proportion) {
  std::vector<Letter> all = letters();
  for (int i = 0; i < 8000; ++i) {
    const Letter& other = all[size_t(i) % 180];
    all[7].said.push_back(other.said[size_t(i) % other.said.size()]);
    if (i % 3 == 0)
      all[7].said.push_back("Key BH-" + std::to_string(10000 + i) + " is number " +
                            std::to_string(20000 + i) + ".");
  }
  const std::clock_t before = std::clock();
  run_checks(corpus_of(all), chosen_checks("", ""));
  BOOST_TEST(double(std::clock() - before) / CLOCKS_PER_SEC < 4);
}

BOOST_AUTO_TEST_CASE(sentences_of_an_answer_clash) {
  std::vector<Letter> all = letters();
  all[6].said = {"A towel is lent for 2 euros.", "A towel is not lent for 2 euros.",
                 "A towel is lent for 9 euros."};
  const Corpus corpus = corpus_of(all);
  std::vector<ClashFeatures> out;
  clashes(corpus, corpus.answers()[6], out);
  BOOST_REQUIRE(out.size() == 3u);
  BOOST_TEST(out[1][1] == 1);  // the same words denied
  BOOST_TEST(out[1][8] == 1);
  BOOST_TEST(out[2][3] == 1);  // the same words with another value
  BOOST_TEST(out[0][8] == 0);  // denies nothing
}

BOOST_AUTO_TEST_CASE(what_others_say_of_the_same_is_denied) {
  std::vector<Letter> all = letters();
  all[20].said = {"Sit on a cloth in the sauna.", "The sauna is never warm from 3 pm."};
  const Corpus corpus = corpus_of(all);
  Neighbourhood near(corpus);
  BesideMeasures beside(corpus);
  near.look_at(20);
  near.find_nearest(1);
  const BesideFeatures denied = beside.of(near, 20, 1);
  BOOST_TEST(denied[2] == 1);   // all of it is denied somewhere
  BOOST_TEST(denied[4] > 0.4);  // by many
  BOOST_TEST(denied[12] == 1);  // and not in this answer
  near.find_nearest(0);
  const BesideFeatures backed = beside.of(near, 20, 0);
  BOOST_TEST(backed[0] == 1);
  BOOST_TEST(backed[4] == 0);
  BOOST_TEST(backed[5] > 0.4);
}

BOOST_AUTO_TEST_CASE(rare_sentences_about_one_thing_are_paired) {
  std::vector<Letter> all = letters();
  all[12].said.push_back("The parrot sleeps until 9 o'clock.");
  all[33].said.push_back("The parrot never sleeps until 7 o'clock.");
  const Corpus corpus = corpus_of(all);
  int pairs = 0;
  each_pair(
      corpus, [](uint32_t) { return true; },
      [&](uint32_t one, uint32_t other, const PairFeatures& features) {
        BOOST_TEST(corpus.text(corpus.sentences()[one]).starts_with("The parrot sleeps"));
        BOOST_TEST(corpus.text(corpus.sentences()[other]).starts_with("The parrot never"));
        BOOST_TEST(features[0] == 1);  // the same words
        BOOST_TEST(features[4] == 1);  // which no third record has
        BOOST_TEST(features[6] == 1);  // one of them denies
        BOOST_TEST(features[8] == 1);  // other values
        ++pairs;
      });
  BOOST_TEST(pairs == 1);
}

BOOST_AUTO_TEST_CASE(small_nets_are_averaged) {
  // Two networks of an input, a hidden unit and two kinds: one is sure of kind 1 where the input is
  // 1, the other says nothing.
  const float weights[] = {3, 0, 0, 0, 40, 0, 0, 0, 0, 0, 0, 0};
  const SmallNets nets{1, 1, 2, 2, weights};
  std::array<double, 2> chances;
  const float one = 1, none = 0;
  chances_of(nets, {&one, 1}, chances);
  BOOST_TEST(std::abs(chances[1] - 0.75) < 1e-9);
  chances_of(nets, {&none, 1}, chances);
  BOOST_TEST(chances[0] == 0.5);
}

// Not a test: writes what test/data/checks/fit_stray.py fits weights to. AFINA_MEASURES names the
// file to write (and one with ".pairs" behind the name), AFINA_SETS the files to read, with blanks
// between them.
BOOST_AUTO_TEST_CASE(sums_state_nothing) {
  BOOST_TEST(is_sum("The rest are 200 - 184 = <<200-184=16>>16 guests."));
  BOOST_TEST(!is_sum("The rest are 16 guests."));
}

BOOST_AUTO_TEST_CASE(print_stray_measures, *boost::unit_test::disabled()) {
  const char *out = std::getenv("AFINA_MEASURES"), *sets = std::getenv("AFINA_SETS");
  BOOST_REQUIRE(out && sets);
  std::ofstream file(out), pairs(std::string(out) + ".pairs");
  std::istringstream names(sets);
  for (std::string path; names >> path;) {
    Corpus corpus;
    ExampleOptions options;
    options.keep_problems = true;
    corpus.read_file(path, options, false);
    corpus.finish();
    std::string name = path.substr(path.rfind('/') + 1);
    name.resize(name.find(".jsonl"));
    auto any = [](uint32_t) { return true; };
    each_pair(corpus, any, [&](uint32_t one, uint32_t other, const PairFeatures& features) {
      pairs << name << '\t' << one << '\t' << other;
      for (float x : features) pairs << '\t' << x;
      pairs << '\n';
    });
    const StrayMeasures measures(corpus);
    std::vector<StrayFeatures> all(corpus.sentences().size());
    measures.each([&](uint32_t s, const StrayFeatures& features) { all[s] = features; });
    std::vector<ClashFeatures> clash;
    Neighbourhood near(corpus);
    BesideMeasures beside(corpus);
    for (uint32_t a = 0; a < corpus.answers().size(); ++a) {
      const Answer& answer = corpus.answers()[a];
      const std::vector<StrayKind> unknown(answer.sentences);
      const AnswerFeatures whole = measures.of_answer(a, unknown);
      clashes(corpus, answer, clash);
      near.look_at(a);
      for (uint32_t k = 0; k < answer.sentences; ++k) {
        const Sentence& sentence = corpus.sentences(answer)[k];
        file << name << '\t' << corpus.record(answer.record).number << '\t'
             << corpus.phrases().of(sentence).records / double(corpus.records());
        for (float x : all[answer.first_sentence + k]) file << '\t' << x;
        for (float x : clash[k]) file << '\t' << x;
        near.find_nearest(k);
        for (float x : beside.of(near, a, k)) file << '\t' << x;
        for (float x : whole) file << '\t' << x;
        file << '\t' << squeezed(corpus.text(sentence)) << '\n';
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
