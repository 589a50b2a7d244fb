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

// "At equal learning (5.32 nats) LoRA r 8 forgets 0.115 and full fine-tuning 0.050, ...", or why
// that cannot be said. Empty without retention text or with one method.
std::string equal_learning_sentence(const Facts& facts);

}  // namespace afina
