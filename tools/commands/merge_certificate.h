// The certificate of a merge: how far the logits of what was written lie from those of what it was
// made of.
#pragma once
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "engine/files/json_value.h"
#include "model/merge.h"

namespace afina {

// What may differ at most.
struct MergeBars {
  double least = 0.99;  // share of positions where the likeliest next token is the same
  std::optional<double> most_kl = {};  // KL per position, in nats; empty: any
};

class MergeCertificate {
 public:
  // rows: tokens to compare on, at least one row, none empty. on: what they are, "5 texts".
  MergeCertificate(std::vector<std::vector<int32_t>> rows, std::string on);
  // Holds the logits of the model that is taken apart or merged later, in f32.
  void begin(Model& before);
  // Compares a model with them; `stored` says how it is stored ("bf16"), written: is it the one
  // that lies on disk?
  void add(const std::string& stored, bool written, Model& after);

  // One row for each way of storing.
  void print(std::ostream& out, const std::string& heading) const;
  // What of the written one lies beyond a bar, as a sentence without a full stop; empty: nothing.
  std::string beyond(const MergeBars& bars) const;
  // certificate.json; `about` are further members.
  Json json(const MergeBars& bars, Json about) const;
  // What was found for a way of storing; null: it was not compared.
  const Agreement* stored_as(const std::string& as) const;

 private:
  struct Stored {
    std::string as;
    bool written;
    Agreement found;
  };
  const Stored& written() const;
  std::vector<std::vector<int32_t>> rows_;
  std::string on_;
  std::vector<Tensor> before_;
  std::vector<Stored> stored_;
};

// The first of these rows, as many as have at most 2^28 logits together (1 GiB), at least one.
std::vector<std::vector<int32_t>> rows_to_hold(std::vector<std::vector<int32_t>> rows,
                                               int64_t vocabulary);

}  // namespace afina
