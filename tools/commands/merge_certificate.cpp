// Comparing logits before and after, and saying so.
#include "tools/commands/merge_certificate.h"

#include <algorithm>
#include <sstream>

#include "engine/counted.h"
#include "tools/results/machine.h"
#include "tools/text/table.h"

namespace afina {

namespace {

std::string number(double value) {
  std::ostringstream text;
  text.precision(3);
  text << value;
  return text.str();
}

}  // namespace

MergeCertificate::MergeCertificate(std::vector<std::vector<int32_t>> rows, std::string on)
    : rows_(std::move(rows)), on_(std::move(on)) {}

void MergeCertificate::begin(Model& before) {
  before_.clear();
  for (auto& row : rows_) before_.push_back(before.logits(make_inputs(row)));
}

void MergeCertificate::add(const std::string& stored, bool written, Model& after) {
  Stored one{stored, written, {}};
  for (size_t i = 0; i < rows_.size(); ++i)
    one.found.add(agreement(before_[i], after.logits(make_inputs(rows_[i]))));
  stored_.push_back(std::move(one));
}

const MergeCertificate::Stored& MergeCertificate::written() const {
  for (const Stored& one : stored_)
    if (one.written) return one;
  fail("a certificate without what was written");
}

const Agreement* MergeCertificate::stored_as(const std::string& as) const {
  for (const Stored& one : stored_)
    if (one.as == as) return &one.found;
  return nullptr;
}

void MergeCertificate::print(std::ostream& out, const std::string& heading) const {
  const Agreement& found = written().found;
  out << heading << ", on " << on_ << " (" << counted(found.positions, "position")
      << ", logits up to " << number(found.largest_logit) << "):\n";
  Table table("lrrr");
  table.add({"  stored as", "largest |Δlogit|", "KL per position", "same next token"});
  std::vector<Stored> rows = stored_;  // f32 first, whichever was written
  std::stable_partition(rows.begin(), rows.end(),
                        [](const Stored& one) { return one.as == "f32"; });
  for (const Stored& one : rows)
    table.add({"  " + one.as + (one.written ? ", written and read again" : ", for comparison"),
               number(one.found.largest_difference), number(one.found.kl) + " nats",
               format_percent(one.found.share())});
  table.print(out);
}

std::string MergeCertificate::beyond(const MergeBars& bars) const {
  const Stored& one = written();
  if (double(one.found.same_choice) < bars.least * double(one.found.positions))
    return "stored as " + one.as + ", it chooses the same next token in fewer than " +
           format_percent(bars.least) + " of the positions (--agreement)";
  if (bars.most_kl && !(one.found.kl <= *bars.most_kl))
    return "stored as " + one.as + ", its predictions lie " + number(one.found.kl) +
           " nats per position from those before, more than " + number(*bars.most_kl) + " (--kl)";
  return {};
}

Json MergeCertificate::json(const MergeBars& bars, Json about) const {
  const Stored& of_file = written();
  auto found = [](const Agreement& one) {
    return Json{{"positions", one.positions},
                {"largest_difference", one.largest_difference},
                {"kl_mean", one.kl},
                {"same_next_token", one.same_choice}};
  };
  // The keys that a certificate of export has, where it says the same.
  about["certificate"] = 1;
  about["afina"] = version();
  about["created"] = utc_now();
  about["form"] = "merge";
  about["holds"] = beyond(bars).empty();
  about["rows"] = on_;
  about["logits"] = found(of_file.found);
  about["largest_logit"] = of_file.found.largest_logit;
  about["written_as"] = of_file.as;
  about["bar"] =
      Json{{"agreement", bars.least}, {"kl", bars.most_kl ? Json(*bars.most_kl) : Json(nullptr)}};
  Json all = Json::object();
  for (const Stored& one : stored_) all[one.as] = found(one.found);
  about["stored_as"] = all;
  return about;
}

std::vector<std::vector<int32_t>> rows_to_hold(std::vector<std::vector<int32_t>> rows,
                                               int64_t vocabulary) {
  int64_t left = (int64_t(1) << 28) / std::max<int64_t>(1, vocabulary);
  size_t count = 0;
  while (count < rows.size() && (count == 0 || int64_t(rows[count].size()) <= left))
    left -= int64_t(rows[count++].size());
  rows.resize(count);
  return rows;
}

}  // namespace afina
