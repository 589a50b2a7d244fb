// Extended grapheme clusters (UAX #29): what a reader takes for one character.
#include "data/tokenizer/graphemes.h"

#include "data/tokenizer/character_tables.h"
#include "data/tokenizer/utf8.h"

namespace afina {

namespace {

// Grapheme_Cluster_Break, in the order of make_character_tables.py.
enum ClusterKind : uint8_t {
  other,
  cr,
  lf,
  control,
  extend,
  joiner,
  regional,
  prepend,
  spacing,
  l,
  v,
  t,
  lv,
  lvt
};
constexpr uint8_t kind_bits = 15, pictographic = 16, conjunct_bits = 96, consonant = 32,
                  conjunct_extend = 64, linker = 96;
constexpr uint32_t hangul = 0xAC00, hangul_end = 0xD7A4, trailings = 28;

uint8_t class_of(uint32_t code) {
  static CharacterBytes classes;
  static const bool filled = [] {
    classes.fill(cluster_classes, cluster_classes_count);
    for (uint32_t c = hangul; c < hangul_end; ++c)
      classes.add(c, (c - hangul) % trailings ? lvt : lv);
    return true;
  }();
  return filled ? classes[code] : 0;
}

// What the rules remember of a cluster: GB9c, GB11 and GB12 look further back than one character.
struct Cluster {
  bool emoji = false;         // ExtPict Extend*
  bool emoji_joined = false;  // ExtPict Extend* ZWJ
  bool conjunct = false;      // Consonant (Extend | Linker)*
  bool linked = false;        // the same, with a Linker among them
  int flags = 0;              // regional indicators

  void add(uint8_t next) {
    const uint8_t kind = next & kind_bits, indic = next & conjunct_bits;
    emoji_joined = emoji && kind == joiner;
    emoji = next & pictographic ? true : emoji && kind == extend;
    if (indic == consonant) {
      conjunct = true;
      linked = false;
    } else if (conjunct && indic == linker) {
      linked = true;
    } else if (indic != conjunct_extend) {
      conjunct = linked = false;
    }
    if (kind == regional) ++flags;
  }
  // Whether `next` goes on with the cluster whose last character is `last`.
  bool takes(uint8_t last, uint8_t next) const {
    const uint8_t a = last & kind_bits, b = next & kind_bits;
    if (a == cr) return b == lf;
    if (a == lf || a == control || b == cr || b == lf || b == control) return false;
    if (a == l && (b == l || b == v || b == lv || b == lvt)) return true;
    if ((a == lv || a == v) && (b == v || b == t)) return true;
    if ((a == lvt || a == t) && b == t) return true;
    if (b == extend || b == joiner || b == spacing || a == prepend) return true;
    if (linked && (next & conjunct_bits) == consonant) return true;
    if (emoji_joined && (next & pictographic)) return true;
    return a == regional && b == regional && flags % 2 == 1;
  }
};

}  // namespace

size_t grapheme_end(std::string_view text, size_t begin) {
  Character c = character_at(text, begin);
  size_t end = begin + c.bytes;
  uint8_t last = class_of(c.code);
  Cluster cluster;
  cluster.add(last);
  while (end < text.size()) {
    c = character_at(text, end);
    const uint8_t next = class_of(c.code);
    if (!cluster.takes(last, next)) break;
    cluster.add(next);
    last = next;
    end += c.bytes;
  }
  return end;
}

}  // namespace afina
