// Progress lines.
#include "tools/text/progress.h"
#include <sys/ioctl.h>
#include <unistd.h>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <memory>
#include "tools/text/format.h"

namespace afina {
namespace {

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// A bar of `width` columns in eighths of a column.
std::string bar(double share, int width) {
  static const char* const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  int filled = int(std::floor(std::fmin(std::fmax(share, 0), 1) * width * 8)), whole = filled / 8;
  std::string text;
  for (int i = 0; i < whole; i++) text += "█";
  if (filled % 8) text += eighths[filled % 8];
  int rest = width - whole - (filled % 8 != 0);
  return text + std::string(size_t(rest), ' ');
}

// At most `width` columns: a longer line would wrap, and then cannot be redrawn.
std::string cut(const std::string& text, size_t width) {
  if (display_width(text) <= width) return text;
  std::string kept;
  for (size_t place = 0; place < text.size();) {
    size_t next = place + 1;
    while (next < text.size() && (text[next] & 0xC0) == 0x80) next++;
    std::string longer = kept + text.substr(place, next - place);
    if (display_width(longer) > width) break;
    kept = std::move(longer);
    place = next;
  }
  return kept;
}

}  // namespace

Overall::Overall(std::string what, std::vector<double> expected, std::function<double()> clock)
    : what_(std::move(what)), expected_(std::move(expected)), clock_(std::move(clock)) {
  for (double& one : expected_)
    if (!(one > 0)) one = 1;
}

double Overall::now() const { return clock_ ? clock_() : steady_seconds(); }

void Overall::begin() {
  if (first_share_ >= 0) {
    seconds_ += now() - piece_began_;
    work_ += expected_of(begun_ - 1) * (1 - first_share_);
  }
  begun_ = std::min(begun_ + 1, std::max<size_t>(1, expected_.size()));
  piece_began_ = now();
  first_share_ = -1;
}

std::string Overall::text(double share) {
  if (begun_ == 0) begin();
  if (first_share_ < 0) first_share_ = 0;
  std::string text = what_ + " " + std::to_string(begun_) + " of " +
                     std::to_string(std::max<size_t>(1, expected_.size()));
  const double seconds = seconds_ + now() - piece_began_,
               work = work_ + expected_of(begun_ - 1) * (share - first_share_);
  double rest = expected_of(begun_ - 1) * (1 - share);
  for (size_t piece = begun_; piece < expected_.size(); piece++) rest += expected_[piece];
  if (seconds >= 1 && work > 0 && rest > 0)
    text += ", " + format_seconds(seconds / work * rest) + " left in all";
  return text;
}

ProgressOptions progress_options_of_stderr() {
  ProgressOptions options;
  const char* no_colour = std::getenv("NO_COLOR");
  const char* kind = std::getenv("TERM");
  options.terminal = isatty(STDERR_FILENO) && !(kind && std::string(kind) == "dumb");
  options.colour = options.terminal && !(no_colour && *no_colour);
  winsize size{};
  if (options.terminal && ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    options.width = size.ws_col;
  return options;
}

Progress::Progress(std::ostream& out, std::string title, int64_t total, ProgressOptions options)
    : out_(out), title_(std::move(title)), total_(total), options_(std::move(options)) {
  begin_ = drawn_at_ = now();
}

Progress::Progress(std::string title, int64_t total)
    : Progress(std::cerr, std::move(title), total, progress_options_of_stderr()) {}

Progress::~Progress() { finish(); }

std::string Progress::Parts::whole() const {
  return all + title + " " + bar + count + loss + rates + time;
}

double Progress::now() const { return options_.clock ? options_.clock() : steady_seconds(); }

void Progress::start_from(int64_t done) {
  first_ = done;
  begin_ = now();
}

double Progress::left(int64_t done, double elapsed) const {
  // The first steps are slow (memory is touched for the first time): say nothing before half a
  // second.
  if (total_ <= 0 || done <= first_ || elapsed < 0.5) return -1;
  return elapsed / double(done - first_) * double(std::max<int64_t>(0, total_ - done));
}

std::string Progress::line(int64_t done, const ProgressValues& values) const {
  return options_.terminal ? fitted(done, values) : parts(done, values).whole();
}

Progress::Parts Progress::parts(int64_t done, const ProgressValues& values) const {
  Parts parts;
  parts.title = title_;
  parts.count = format_grouped(done) + (total_ > 0 ? "/" + format_grouped(total_) : "");
  if (values.loss) parts.loss = "  loss " + format_loss(*values.loss);
  if (values.learning_rate && std::isfinite(*values.learning_rate))
    parts.rates = "  lr " + format_learning_rate(*values.learning_rate);
  if (values.tokens_per_second && std::isfinite(*values.tokens_per_second) &&
      *values.tokens_per_second > 0)
    parts.rates += "  " + format_rate(*values.tokens_per_second) + " tokens/s";
  const double elapsed = now() - begin_, rest = left(done, elapsed);
  if (total_ > 0 && done >= total_) parts.time = "  in " + format_seconds(elapsed);
  else if (rest >= 0) parts.time = "  " + format_seconds(rest) + " left";
  if (overall_) parts.all = overall_->text(total_ > 0 ? double(done) / double(total_) : 0) + ": ";
  return parts;
}

std::string Progress::fitted(int64_t done, const ProgressValues& values) const {
  Parts parts = this->parts(done, values);
  const size_t width = size_t(std::max(options_.width - 1, 1));
  auto with_bar = [&](int columns) {
    parts.bar = total_ > 0 && columns > 0 ? bar(double(done) / double(total_), columns) + "  "
                                          : std::string();
    return parts.whole();
  };
  for (int columns : {16, 8})
    if (std::string text = with_bar(columns); display_width(text) <= width) return text;
  parts.rates.clear();
  for (int columns : {16, 8, 0})
    if (std::string text = with_bar(columns); display_width(text) <= width) return text;
  // The title keeps what room there is; of all else nothing can be spared.
  const size_t others = display_width(parts.whole()) - display_width(parts.title);
  if (others + 6 <= width) {
    parts.title = cut(parts.title, width - others - 1) + "…";
    return parts.whole();
  }
  parts.title = cut(parts.title, 12);
  parts.all.clear();
  return cut(parts.whole(), width);
}

void Progress::update(int64_t done, const ProgressValues& values) {
  bool last = total_ > 0 && done >= total_;
  double every = options_.terminal ? options_.redraw_every : options_.plain_every, time = now();
  if (any_ && !last && time - drawn_at_ < every) return;
  drawn_at_ = time;
  any_ = true;
  draw(line(done, values));
}

void Progress::draw(const std::string& text) {
  if (!options_.terminal) {
    out_ << text << "\n" << std::flush;
    return;
  }
  std::string shown = cut(text, size_t(std::max(options_.width - 1, 1)));
  if (const size_t at = shown.find(title_); options_.colour && at != shown.npos)
    shown = shown.substr(0, at) + "\033[1m" + title_ + "\033[0m" + shown.substr(at + title_.size());
  out_ << "\r\033[K" << shown << std::flush;
  drawn_ = true;
}

void Progress::clear() {
  if (drawn_) out_ << "\r\033[K";
  drawn_ = false;
}

void Progress::say(const std::string& text) {
  clear();
  out_ << text << "\n" << std::flush;
  any_ = false;
}

void Progress::finish() {
  if (drawn_) out_ << "\n" << std::flush;
  drawn_ = false;
}

std::function<void(int64_t, int64_t)> shown_answers(const std::string& title) {
  auto line = std::make_shared<std::optional<Progress>>();
  return [line, title](int64_t done, int64_t of) {
    if (!*line) line->emplace(title, of);
    (*line)->update(done);
    if (done == of) line->reset();
  };
}

}  // namespace afina
