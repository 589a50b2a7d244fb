// Event files, written and read.
#include "tools/runs/event_file.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>

#include "engine/error.h"
#include "engine/files/atomic_file.h"

namespace afina {

namespace fs = std::filesystem;

namespace {

constexpr const char* version = "brain.Event:2";
constexpr const char *prefix = "events.out.tfevents.", *ours = ".afina.";

std::array<uint32_t, 256> table_of(uint32_t polynomial) {
  std::array<uint32_t, 256> table{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t rest = byte;
    for (int bit = 0; bit < 8; ++bit) rest = (rest >> 1) ^ (rest & 1 ? polynomial : 0);
    table[byte] = rest;
  }
  return table;
}

// A CRC beside the data that it is of would make a CRC of both say nothing: so it is rotated, and a
// constant added.
uint32_t masked(std::string_view data) {
  const uint32_t crc = crc32c(data);
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

template <class T>
std::string little_endian(T value) {
  std::string bytes;
  for (size_t i = 0; i < sizeof(T); ++i) bytes += char(uint8_t(value >> (8 * i)));
  return bytes;
}
template <class T>
T from_little_endian(std::string_view bytes) {
  T value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) value |= T(uint8_t(bytes[i])) << (8 * i);
  return value;
}

// Fields of a protocol buffer: a key (number and form), and the value in that form.
enum Form : uint64_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };
std::string as_varint(uint64_t value) {
  std::string text;
  for (; value >= 128; value >>= 7) text += char(uint8_t(value | 128));
  return text + char(uint8_t(value));
}
std::string key(uint64_t number, Form form) { return as_varint(number << 3 | form); }
std::string text_field(uint64_t number, std::string_view text) {
  return key(number, bytes) + as_varint(text.size()) + std::string(text);
}
std::string double_field(uint64_t number, double value) {
  return key(number, fixed64) + little_endian(std::bit_cast<uint64_t>(value));
}
std::string float_field(uint64_t number, float value) {
  return key(number, fixed32) + little_endian(std::bit_cast<uint32_t>(value));
}

struct Field {
  uint64_t number = 0, form = 0, whole = 0;  // whole: of a varint or fixed form
  std::string_view text;
};

// Takes one field after the other out of a message.
class Fields {
 public:
  Fields(std::string_view rest, const std::string& place) : rest_(rest), place_(place) {}
  bool more() const { return !rest_.empty(); }
  Field next() {
    Field field;
    const uint64_t first = take_varint();
    field.number = first >> 3;
    field.form = first & 7;
    if (field.form == varint) field.whole = take_varint();
    else if (field.form == fixed64) field.whole = from_little_endian<uint64_t>(take(8));
    else if (field.form == fixed32) field.whole = from_little_endian<uint32_t>(take(4));
    else if (field.form == bytes) field.text = take(take_varint());
    else fail(place_, ": a field of form ", field.form, ", which no event has");
    return field;
  }

 private:
  std::string_view take(uint64_t count) {
    require(count <= rest_.size(), place_, ": a field of ", count, " bytes where ", rest_.size(),
            " are left");
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  uint64_t take_varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const uint8_t byte = uint8_t(take(1)[0]);
      value |= uint64_t(byte & 127) << shift;
      if (byte < 128) return value;
    }
    fail(place_, ": a number of more than ten bytes");
  }
  std::string_view rest_;
  const std::string& place_;
};

void read_event(std::string_view event, const std::string& place, uint64_t at, EventFile& file) {
  LoggedValue common;
  std::vector<std::string_view> summaries;
  for (Fields fields(event, place); fields.more();) {
    const Field field = fields.next();
    if (field.number == 1) common.wall_time = std::bit_cast<double>(field.whole);
    if (field.number == 2) common.step = int64_t(field.whole);
    if (field.number == 5) summaries.push_back(field.text);
  }
  for (std::string_view summary : summaries)
    for (Fields values(summary, place); values.more();) {
      LoggedValue scalar = common;
      for (Fields fields(values.next().text, place); fields.more();) {
        const Field field = fields.next();
        if (field.number == 1) scalar.tag = std::string(field.text);
        if (field.number == 2) scalar.value = std::bit_cast<float>(uint32_t(field.whole));
      }
      file.scalars.push_back(std::move(scalar));
      file.places.push_back(at);
    }
}

// The event files in a folder that afina has written, in the order of their making.
std::vector<std::string> earlier_files(const std::string& folder) {
  std::vector<std::string> paths;
  if (!fs::is_directory(folder)) return paths;
  for (auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(prefix) && name.find(ours) != name.npos)
      paths.push_back(entry.path().string());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

// TensorBoard reads the files of a folder in the order of their names.
std::string next_path(const std::string& folder, const std::vector<std::string>& earlier) {
  int64_t second = int64_t(wall_time_now());
  for (const std::string& path : earlier) {
    const std::string name = fs::path(path).filename().string();
    const int64_t then = std::atoll(name.c_str() + std::strlen(prefix));
    second = std::max(second, then + 1);
  }
  return folder + "/" + prefix + std::to_string(second) + ours + std::to_string(earlier.size());
}

}  // namespace

uint32_t crc32c(std::string_view data) {
  static const std::array<uint32_t, 256> table = table_of(0x82F63B78u);
  uint32_t rest = ~0u;
  for (char byte : data) rest = (rest >> 8) ^ table[(rest ^ uint8_t(byte)) & 255];
  return ~rest;
}

double wall_time_now() {
  using namespace std::chrono;
  return duration<double>(system_clock::now().time_since_epoch()).count();
}

EventFile read_event_file(const std::string& path) {
  const std::string text = read_text_file(path, size_t(4) << 30);
  EventFile file;
  std::string_view rest = text;
  while (rest.size() >= 12) {
    const uint64_t at = text.size() - rest.size();
    const std::string place = path + ", byte " + std::to_string(at);
    const auto length = from_little_endian<uint64_t>(rest);
    require(from_little_endian<uint32_t>(rest.substr(8)) == masked(rest.substr(0, 8)), place,
            ": expected a record of TensorBoard, and the checksum of its length is wrong");
    if (length > rest.size() - 12 || rest.size() - 12 - length < 4) break;
    const std::string_view event = rest.substr(12, length);
    require(from_little_endian<uint32_t>(rest.substr(12 + length)) == masked(event), place,
            ": the checksum of a record of ", length, " bytes is wrong");
    read_event(event, place, at, file);
    rest.remove_prefix(16 + length);
    file.whole = text.size() - rest.size();
  }
  return file;
}

EventLog::EventLog(const std::string& folder, int64_t last_step) {
  const std::vector<std::string> earlier = earlier_files(folder);
  path_ = next_path(folder, earlier);
  for (const std::string& path : earlier) {
    if (last_step <= 0) {
      fs::remove(path);
      continue;
    }
    const EventFile file = read_event_file(path);
    uint64_t end = file.whole;
    for (size_t i = 0; i < file.scalars.size(); ++i)
      if (file.scalars[i].step > last_step) end = std::min(end, file.places[i]);
      else known_.insert({file.scalars[i].step, file.scalars[i].tag});
    fs::resize_file(path, end);
  }
  fs::create_directories(folder);
  require(!fs::exists(path_), path_, ": is there already, and is not overwritten");
  out_.open(path_, std::ios::binary);
  require(bool(out_), path_, ": cannot be written: ", std::strerror(errno));
  write(double_field(1, wall_time_now()) + text_field(3, version));
}

void EventLog::add(int64_t step, double wall_time,
                   const std::vector<std::pair<std::string, double>>& values) {
  std::string summary;
  for (auto& [tag, value] : values)
    if (known_.insert({step, tag}).second)
      summary += text_field(1, text_field(1, tag) + float_field(2, float(value)));
  if (!summary.empty())
    write(double_field(1, wall_time) + key(2, varint) + as_varint(uint64_t(step)) +
          text_field(5, summary));
}

void EventLog::write(const std::string& event) {
  const std::string length = little_endian(uint64_t(event.size()));
  out_ << length << little_endian(masked(length)) << event << little_endian(masked(event))
       << std::flush;
  require(bool(out_), path_, ": cannot be written: ", std::strerror(errno));
}

}  // namespace afina
