// Numbers as people read them, the same in every table, page and progress line.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace afina {

std::string format_count(double count);         // 576, 134.5 M, 1.24 B
std::string format_bytes(double bytes);         // 512 B, 3.42 MiB
std::string format_seconds(double seconds);     // 0.42 s, 42.3 s, 3 min 20 s, 1 h 05 min
std::string format_flops(double flops);         // 1.24 PFLOP
std::string format_rate(double per_second);     // 1,234: tokens per second
std::string format_ratio(double ratio);         // 0.41×, 0.0042×, 12×
std::string format_load(double load);           // 2.35: processes that run or wait
std::string format_percent(double share);       // 0.012 gives 1.2 %
std::string format_loss(double loss);           // 2.3456; "diverged" when not finite
std::string format_difference(double value);    // +0.0123, −0.0123; exactly 0: 0
std::string format_learning_rate(double rate);  // 3e-4
std::string format_grouped(int64_t number);     // 1,234,567

// The first `length` characters of a hash: enough to tell two apart by eye.
std::string short_hash(const std::string& hash, size_t length = 12);
// What a terminal would obey is shown instead ("\x1b"): names and texts in a stranger's files may
// not move the cursor or rewrite the screen.
std::string harmless(std::string_view text);
// Columns that a terminal shows: code points, wide ones (CJK, emoji) as two.
size_t display_width(const std::string& utf8);

}  // namespace afina
