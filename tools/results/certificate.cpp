// Certificates as JSON.
#include "tools/results/certificate.h"

#include <algorithm>

namespace afina {

namespace {

OrderedJson json_of(const LogitDifference& d) {
  return {{"positions", d.positions},
          {"largest_difference", d.largest},
          {"rms_difference", d.rms},
          {"deviation_of_logits", d.deviation},
          {"kl_mean", d.kl},
          {"kl_worst", d.worst_kl},
          {"same_next_token", d.same_choice},
          {"targets", d.targets},
          {"perplexity_trained", d.targets ? OrderedJson(d.perplexity_before) : OrderedJson()},
          {"perplexity_written", d.targets ? OrderedJson(d.perplexity_after) : OrderedJson()}};
}

}  // namespace

bool ExportCertificate::holds() const {
  return std::all_of(checks.begin(), checks.end(),
                     [](const CertificateCheck& check) { return check.holds; });
}

OrderedJson to_json(const ExportCertificate& c) {
  OrderedJson stored = OrderedJson::array(), answers = OrderedJson::array(),
              checks = OrderedJson::array(), notes = OrderedJson::array(),
              files = OrderedJson::array();
  for (const StoredError& s : c.stored)
    stored.push_back({{"type", s.type},
                      {"of", s.what},
                      {"tensors", s.tensors},
                      {"relative_error", s.error},
                      {"bound", s.bound},
                      {"tensor", s.where},
                      {"part_error", s.part},
                      {"part_bound", s.part_bound},
                      {"part", s.place}});
  for (const CertifiedFile& one : c.files)
    files.push_back({{"name", one.name}, {"bytes", one.bytes}, {"sha256", one.sha256}});
  for (const AnswerPair& a : c.answers)
    answers.push_back({{"prompt", a.prompt},
                       {"trained", a.before},
                       {"written", a.after},
                       {"same_tokens", a.same},
                       {"tokens", a.tokens}});
  for (const CertificateCheck& check : c.checks)
    checks.push_back({{"name", check.name},
                      {"holds", check.holds},
                      {"found", check.found},
                      {"bound", check.bound},
                      {"means", check.means}});
  for (const std::string& note : c.notes) notes.push_back(note);
  OrderedJson json = {
      {"certificate", 1},
      {"afina", c.version},
      {"created", c.created},
      {"file", c.file},
      {"sha256", c.sha256},
      {"bytes", c.bytes},
      {"files", files},
      {"form", c.form},
      {"trained", c.trained},
      {"holds", c.holds()},
      {"accepted_all_the_same", c.accepted},
      {"rows", c.rows},
      {"checks", checks},
      {"logits", json_of(c.logits)},
      {"rounding_alone", c.rounding.positions ? json_of(c.rounding) : OrderedJson()}};
  if (c.has_effect) json["kl_of_training"] = c.effect_kl;
  json["stored"] = stored;
  json["answers"] = answers;
  json["notes"] = notes;
  return json;
}

}  // namespace afina
