// TensorBoard's event files: checksums of known answer, a round trip, damage that is told, and runs
// that are stopped and go on without a step twice.
#include "tools/runs/event_file.h"

#include <cmath>
#include <filesystem>
#include <map>
#include <sstream>

#include "engine/files/atomic_file.h"
#include "test/scratch.h"
#include "test/tools/runs/runs.h"

namespace fs = std::filesystem;
using namespace afina;

namespace {

std::vector<std::string> event_files(const std::string& folder) {
  std::vector<std::string> paths;
  for (auto& entry : fs::directory_iterator(folder))
    if (holds(entry.path().filename(), "tfevents")) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  return paths;
}
// By tag and step; a pair that stands twice is a failure.
std::map<std::pair<std::string, int64_t>, float> scalars_of(const std::string& folder) {
  std::map<std::pair<std::string, int64_t>, float> all;
  for (const std::string& path : event_files(folder))
    for (const LoggedValue& s : read_event_file(path).scalars) {
      const bool fresh = all.emplace(std::pair(s.tag, s.step), s.value).second;
      BOOST_TEST(fresh, s.tag << " of step " << s.step << " stands twice");
    }
  return all;
}

// Everything in log.jsonl, and in the evaluations of run.json, is in the event files and nothing
// else.
void check_against_log(const std::string& folder) {
  auto found = scalars_of(folder);
  size_t expected = 0;
  auto same = [&](const char* tag, int64_t step, const Json& value) {
    expected++;
    const auto at = found.find({tag, step});
    BOOST_REQUIRE_MESSAGE(at != found.end(), tag << " of step " << step << " is missing");
    BOOST_TEST(at->second == float(value.get<double>()), tag << " of step " << step);
  };
  std::istringstream log(read_text_file(folder + "/log.jsonl"));
  for (std::string line; std::getline(log, line);) {
    const Json step = Json::parse(line);
    const int64_t number = step.at("step");
    same("loss/train", number, step.at("loss"));
    same("learning_rate", number, step.at("lr"));
    same("grad_norm", number, step.at("grad_norm"));
    expected++;  // the rate depends on the clock, and is known of the step's own second
    BOOST_TEST(found.count({"tokens_per_second", number}) == 1u);
  }
  const Json evaluations = parse_json_file(folder + "/run.json").at("run").at("evaluations");
  for (size_t i = 0; i < evaluations.at("step").size(); ++i) {
    same("loss/held_out", evaluations.at("step")[i], evaluations.at("heldout")[i]);
    if (!evaluations.at("retain")[i].is_null())
      same("loss/retention", evaluations.at("step")[i], evaluations.at("retain")[i]);
  }
  BOOST_TEST(found.size() == expected);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(event_file)

BOOST_AUTO_TEST_CASE(checksum_of_known_answer) {
  BOOST_TEST(crc32c("123456789") == 0xE3069283u);  // the check value of CRC-32C
  BOOST_TEST(crc32c("") == 0u);
  // RFC 3720, appendix B.4.
  BOOST_TEST(crc32c(std::string(32, '\0')) == 0x8A9136AAu);
  BOOST_TEST(crc32c(std::string(32, '\xff')) == 0x62A8AB43u);
}

// The first record of every file, byte by byte: length 24, its masked checksum, wall_time (09 and 8
// bytes), file_version (1a 0d and 13 letters), the masked checksum of these.
BOOST_AUTO_TEST_CASE(first_record_by_hand) {
  ScratchFolder scratch;
  const std::string path = EventLog(scratch / "run", 0).path(), text = read_text_file(path);
  BOOST_TEST(holds(fs::path(path).filename(), "events.out.tfevents."));
  BOOST_REQUIRE(text.size() == 8u + 4 + 24 + 4);
  BOOST_TEST(text.substr(0, 8) == std::string("\x18\0\0\0\0\0\0\0", 8));
  // As TensorBoard's own writer frames 24 bytes.
  BOOST_TEST(text.substr(8, 4) == "\xa3\x7f\x4b\x22");
  BOOST_TEST(text[12] == '\x09');
  BOOST_TEST(text.substr(21, 15) ==
             "\x1a\x0d"
             "brain.Event:2");
}

BOOST_AUTO_TEST_CASE(what_is_written_is_read) {
  ScratchFolder scratch;
  EventLog log(scratch / "run", 0);
  log.add(0, 1.25, {{"loss/held_out", 4.5}});
  log.add(1, 2.5, {{"loss/train", 3.25}, {"learning_rate", 1e-3}});
  log.add(1, 3.0, {{"loss/train", 9}, {"grad_norm", INFINITY}});  // a tag of a step but once
  log.add(int64_t(1) << 40, 1764329917.5, {{"loss/train", 0.1}});
  const EventFile file = read_event_file(log.path());
  BOOST_REQUIRE(file.scalars.size() == 5u);
  BOOST_TEST(file.whole == fs::file_size(log.path()));
  BOOST_TEST(file.scalars[0].tag == "loss/held_out");
  BOOST_TEST(file.scalars[0].wall_time == 1.25);
  BOOST_TEST(file.scalars[2].tag == "learning_rate");
  BOOST_TEST(file.scalars[2].value == 1e-3f);
  BOOST_TEST(file.scalars[2].step == 1);
  BOOST_TEST(std::isinf(file.scalars[3].value));
  BOOST_TEST(file.scalars[4].step == int64_t(1) << 40);
  BOOST_TEST(file.scalars[4].wall_time == 1764329917.5);
}

BOOST_AUTO_TEST_CASE(damage_is_told) {
  ScratchFolder scratch;
  std::string path;
  {
    EventLog log(scratch / "run", 0);
    log.add(1, 1, {{"loss/train", 2}});
    log.add(2, 2, {{"loss/train", 1}});
    path = log.path();
  }
  const std::string whole = read_text_file(path);
  // Cut off: what is whole before it counts.
  std::ofstream(path, std::ios::binary) << whole.substr(0, whole.size() - 5);
  BOOST_TEST(read_event_file(path).scalars.size() == 1u);
  for (size_t at : {size_t(2), size_t(9), size_t(20), whole.size() - 2}) {
    std::string bad = whole;
    bad[at] = char(bad[at] ^ 4);
    std::ofstream(path, std::ios::binary) << bad;
    check_error([&] { read_event_file(path); }, {path, "checksum"});
  }
}

BOOST_AUTO_TEST_CASE(going_on_cuts_what_comes_after) {
  ScratchFolder scratch;
  const std::string folder = scratch / "run";
  {
    EventLog log(folder, 0);
    for (int step = 1; step <= 5; ++step) log.add(step, step, {{"loss/train", 10. * step}});
  }
  {
    std::ofstream(event_files(folder)[0], std::ios::app | std::ios::binary) << "cut o";
    EventLog log(folder, 3);
    for (int step = 2; step <= 6; ++step) log.add(step, step, {{"loss/train", 20. * step}});
  }
  BOOST_TEST(event_files(folder).size() == 2u);
  auto all = scalars_of(folder);
  BOOST_TEST(all.size() == 6u);
  BOOST_TEST((all[{"loss/train", 3}]) == 30.f);
  BOOST_TEST((all[{"loss/train", 4}]) == 80.f);
  // From the beginning: nothing of before stays. Files of others are left alone.
  std::ofstream(folder + "/events.out.tfevents.1.theirs") << "theirs";
  EventLog log(folder, 0);
  BOOST_TEST(event_files(folder).size() == 2u);
  BOOST_TEST(read_text_file(folder + "/events.out.tfevents.1.theirs") == "theirs");
}

BOOST_AUTO_TEST_CASE(a_run_writes_what_its_log_has) {
  ScratchFolder scratch;
  const std::string retain = source + "/data/samples/general.jsonl";
  const Words lora = {"--method", "lora:rank=4,lr=3e-3", "--tensorboard", "--retain",
                      retain,     "--retain-tokens",     "512",           "--eval-every",
                      "2"};
  const std::string digest = digest_of_run(scratch / "whole", lora);
  check_against_log(scratch / "whole");
  BOOST_TEST(event_files(scratch / "whole").size() == 1u);
  // Without the option: the same bits, and no file.
  Words plain = lora;
  plain.erase(plain.begin() + 2);
  BOOST_TEST(digest_of_run(scratch / "plain", plain) == digest);
  BOOST_TEST(event_files(scratch / "plain").empty());
  BOOST_TEST(read_text_file(scratch / "plain/log.jsonl").size() > 0u);
  // A run that goes on to more steps has a second file, which begins where the first ends.
  Words more = lora;
  for (const char* word : {"--schedule", "constant", "--warmup", "0", "--save-every", "1"})
    more.push_back(word);
  digest_of_run(scratch / "longer", more);
  more.insert(more.end(), {"--steps", "6", "--resume"});
  const Said said = run(words("train", scratch / "longer", more));
  BOOST_REQUIRE_MESSAGE(said.status == 0, said.err);
  const auto files = event_files(scratch / "longer");
  BOOST_REQUIRE(files.size() == 2u);
  for (const LoggedValue& s : read_event_file(files[1]).scalars) BOOST_TEST(s.step > 4, s.tag);
  check_against_log(scratch / "longer");
}

BOOST_AUTO_TEST_SUITE_END()
