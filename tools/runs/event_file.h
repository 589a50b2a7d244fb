// TensorBoard's event files: scalars by tag and step, in the TFRecord framing, which TensorBoard
// reads while they are written.
//
// A record is its length (8 bytes), a masked CRC-32C of these bytes (4), the data, and a masked
// CRC-32C of the data (4), all little-endian. The data is a protocol buffer `Event`: wall_time (1,
// double), step (2, int64), file_version (3, string, of the first record alone), summary (5), which
// is a list of values (1), each a tag (1, string) and a simple_value (2, float). Both are described
// by TensorFlow's record_writer.h, event.proto and summary.proto.
#pragma once
#include <cstdint>
#include <fstream>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace afina {

// CRC with Castagnoli's polynomial (reflected 0x82F63B78), as RFC 3720 uses it.
uint32_t crc32c(std::string_view data);

struct LoggedValue {
  std::string tag;  // "loss/train"
  int64_t step = 0;
  double wall_time = 0;  // seconds since 1970
  float value = 0;
};
struct EventFile {
  std::vector<LoggedValue> scalars;
  // Bytes up to the end of the last whole record; what follows is a record that was cut off.
  uint64_t whole = 0;
  // For each scalar, where its record begins.
  std::vector<uint64_t> places;
};
// What a file written by EventLog holds. A record that is cut off ends it; one whose checksum is
// wrong, or that is no event with scalars, is an Error with the file's name and the byte.
EventFile read_event_file(const std::string& path);

// The event files of one run. Each beginning or resuming of the run writes a file of its own.
class EventLog {
 public:
  // Opens a new file in the folder. What earlier files of the run say beyond `last_step` is cut
  // off, as the run goes on from there; with none done (0) they are removed. An Error when a file
  // cannot be read, cut or made.
  EventLog(const std::string& folder, int64_t last_step);
  // Appends one event, flushed; tags that are known of this step already are left out.
  void add(int64_t step, double wall_time,
           const std::vector<std::pair<std::string, double>>& values);
  const std::string& path() const { return path_; }

 private:
  void write(const std::string& event);
  std::string path_;
  std::ofstream out_;
  std::set<std::pair<int64_t, std::string>> known_;
};

// Seconds since 1970.
double wall_time_now();

}  // namespace afina
