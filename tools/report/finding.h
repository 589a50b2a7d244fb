// What a comparison found, in one sentence, and the shares that it speaks of.
#pragma once
#include "tools/report/facts.h"

namespace afina {

// What a method learned as a share of what the reference learned, which must have learned
// something: of all seeds' means, with the interval of the paired difference over rows and seeds,
// or, where rows were not recorded, with that of the shares of single seeds. Unknown (count 0)
// where there is no share.
Estimate learned_share(const Facts& facts, size_t method);
// The same of what was forgotten; unknown unless the reference forgot more than slight_forgetting.
Estimate forgotten_share(const Facts& facts, size_t method);
// Nats below which a change of the retention loss is not called forgetting.
inline constexpr double slight_forgetting = 0.005;
// Forgetting of a method minus that of the reference, over rows and seeds.
Estimate forgetting_difference(const Facts& facts, size_t method);

enum class Clear : uint8_t { unknown, no, yes };
// Is the difference of held-out losses from the reference's more than chance? It is where its
// interval over rows and seeds excludes zero.
Clear clear_difference(const Facts& facts, size_t method);
// The same of forgetting.
Clear clear_forgetting(const Facts& facts, size_t method);

// "LoRA r 8 learned 98.7 % of what full fine-tuning learned, forgot 40 % as much, and trained 8.1 %
// of the parameters.": for any number of methods, with and without retention text, and where some
// diverged or learned nothing.
std::string finding(const Facts& facts);

}  // namespace afina
