// Learned against forgotten: every rate that was tried, the best of them, and what holds at equal
// learning.
#pragma once
#include <optional>

#include "tools/report/facts.h"

namespace afina {

struct TradePoint {  // a method at one learning rate
  double rate = 0;
  Estimate learned, forgotten;  // held-out loss before - after; retention loss after - before
  bool chosen = false;          // the rate of the figures: all seeds; the others: the search's one
  std::optional<int64_t> diverged;
};
// In the order of rates; those that diverged have no finite figures. Empty without retention text.
// Held-out losses are those of the final rows. Results of older versions do not hold them for the
// rates that were not chosen: there they are those of the rows for choosing.
std::vector<TradePoint> trade_points(const Facts& facts, size_t method);
// The points that no other beats in both, from least to most learned.
std::vector<TradePoint> frontier(const std::vector<TradePoint>& points);
// What a frontier forgets where it learned this much: a point within a hundredth of it, or between
// two points that have it between them; nothing else is guessed.
std::optional<double> forgotten_at(const std::vector<TradePoint>& frontier, double learned);

// What each method forgets at one held-out loss that several of them reach.
struct EqualLearning {
  double learned = 0, heldout = 0;  // nats: held-out loss before - after, and the loss after
  std::vector<std::optional<double>> forgotten;  // for each method, as forgotten_at; nats
};
// Up to three held-out losses, the highest first, at which two methods or more can be compared:
// where 98, 95, 90, 80 or 60 % of what the best method learned were learned, and of those the ones
// at which most methods have points on both sides. Empty without retention text.
std::vector<EqualLearning> equal_learning(const Facts& facts);
// How the table of them is to be read, for reports.
extern const char* const equal_learning_words;

// "At equal learning (5.32 nats) LoRA r 8 forgets 0.115 and full fine-tuning 0.050, ...", or why
// that cannot be said. Empty without retention text or with one method.
std::string equal_learning_sentence(const Facts& facts);

}  // namespace afina
