// The line that shows how far long work has come: redrawn in place on a terminal, now and then a
// whole line elsewhere.
#pragma once
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

namespace afina {

// How far a series of like pieces of work has come, the runs of a comparison, and the time left for
// all of them. Pieces in which no work was seen (read back from an earlier command) count as done
// and tell nothing about speed.
class Overall {
 public:
  // expected: of each piece, in one unit of any size. clock: seconds; a steady one when empty.
  Overall(std::string what, std::vector<double> expected, std::function<double()> clock = {});
  // The next piece begins. Pieces beyond those expected count as the last one.
  void begin();
  // The current piece goes on from here: an earlier command did this share of it.
  void began_at(double share) { first_share_ = share; }
  // `share` of the current piece is done. Gives "run 7 of 20, 3 min 20 s left in all"; without the
  // time as long as it cannot be told.
  std::string text(double share);

 private:
  double now() const;
  double expected_of(size_t piece) const { return expected_.empty() ? 1 : expected_[piece]; }

  std::string what_;
  std::vector<double> expected_;
  std::function<double()> clock_;
  size_t begun_ = 0;               // pieces, the current one included
  double seconds_ = 0, work_ = 0;  // of finished pieces in which work was seen
  double piece_began_ = 0, first_share_ = -1;
};

struct ProgressValues {  // what is not known is left out of the line; NaN and infinity are shown as
                         // words
  std::optional<double> loss = {};
  std::optional<double> learning_rate = {};
  std::optional<double> tokens_per_second = {};
};

struct ProgressOptions {
  bool terminal = false;  // redraw in place
  bool colour = false;
  int width = 100;                // columns of the terminal
  double plain_every = 10;        // seconds between lines where there is no terminal
  double redraw_every = 0.1;      // seconds between redraws on one
  std::function<double()> clock;  // seconds from any origin; a steady clock when empty
};

// For standard error as it is now: terminal or not, its width, NO_COLOR.
ProgressOptions progress_options_of_stderr();

// Steps of one piece of work. Not for several threads at once. Whatever it draws on a terminal is
// ended by finish() or the destructor.
class Progress {
 public:
  // `total` 0: unknown, then no share and no time left are shown.
  Progress(std::ostream& out, std::string title, int64_t total, ProgressOptions options);
  Progress(std::string title, int64_t total);  // to standard error
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // `done` of `total`. Draws only when it is time to; the first and the last step always. Time left
  // is reckoned from the steps since construction or start_from, so that resumed work is not taken
  // for fast work.
  void update(int64_t done, const ProgressValues& values = {});
  void start_from(int64_t done);
  // Removes the line, prints `text` as a line of its own; the next update draws again.
  void say(const std::string& text);
  void finish();
  // Shows how far all the work has come, of which this is a piece. It must outlive the line.
  void part_of(Overall* overall) { overall_ = overall; }

  // The line as it would be drawn now, without colours: in full, or, on a terminal, with as much
  // as fits: first the current rates go, then the bar, then the end of the title.
  std::string line(int64_t done, const ProgressValues& values) const;

 private:
  void draw(const std::string& text);
  struct Parts {  // of a line
    std::string all, title, bar, count, loss, rates, time;
    std::string whole() const;
  };
  Parts parts(int64_t done, const ProgressValues& values) const;
  std::string fitted(int64_t done, const ProgressValues& values) const;
  void clear();
  double now() const;
  double left(int64_t done, double elapsed) const;  // seconds; negative when it cannot be told yet

  std::ostream& out_;
  std::string title_;
  int64_t total_;
  ProgressOptions options_;
  Overall* overall_ = nullptr;
  double begin_;
  double drawn_at_;
  int64_t first_ = 0;
  bool drawn_ = false;  // something stands on the current line of the terminal
  bool any_ = false;
};

// Shows on standard error how many of so many answers are made; the line goes with the last one.
std::function<void(int64_t done, int64_t of)> shown_answers(const std::string& title);

}  // namespace afina
