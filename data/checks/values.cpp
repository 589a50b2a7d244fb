// Finds values: a table of unit words and number words, and the places a number may stand.
#include "data/checks/values.h"

#include <algorithm>
#include <bitset>
#include <charconv>
#include <unordered_map>

namespace afina {

namespace {

struct Unit {
  ValueType type;
  double factor;
};
using Table = std::unordered_map<uint64_t, Unit>;

void add(Table& table, std::string_view words, ValueType type, double factor) {
  std::vector<Word> all;
  split_words(words, all);
  for (const Word& word : all) table[word.id] = {type, factor};
}

const Table& units() {
  static const Table table = [] {
    Table t;
    const auto duration = ValueType::duration;
    // Chinese, Japanese and Korean: a character each, or behind one that counts.
    add(t, "天 日 일", duration, 1);
    add(t, "周 週 週間 주", duration, 7);
    add(t, "月 개월", duration, 30.5);
    add(t, "年 년", duration, 365);
    add(t, "时 時 시간", duration, 1. / 24);
    add(t, "分 분", duration, 1. / 1440);
    add(t, "元 円 圆 원", ValueType::price, 1.0004);
    add(t, "second seconds sec secs segundo segundos sekunde sekunden", duration, 1. / 86400);
    add(t, "minute minutes min mins minuto minutos minuten", duration, 1. / 1440);
    add(t, "hour hours hr hrs hora horas stunde stunden heure heures", duration, 1. / 24);
    add(t, "day days día días dia dias tag tage tagen jour jours", duration, 1);
    add(t, "night nights noche noches", duration, 1.0001);
    add(t, "week weeks semana semanas woche wochen semaine semaines", duration, 7);
    add(t, "fortnight fortnights quincena quincenas", duration, 14);
    add(t, "month months mes meses monat monate monaten mois", duration, 30.5);
    add(t, "year years año años jahr jahre jahren ans année années", duration, 365);
    add(t, "werktag werktage werktagen arbeitstag arbeitstage", ValueType::working_time, 1);
    add(t, "euro euros eur €", ValueType::price, 1);
    add(t, "dollar dollars usd $", ValueType::price, 1.0001);
    add(t, "pound pounds gbp £ quid", ValueType::price, 1.0002);
    add(t, "peso pesos mxn", ValueType::price, 1.0003);
    add(t, "cent cents céntimos céntimo centavos pence", ValueType::price, 0.01);
    add(t, "% percent prozent", ValueType::percent, 1);
    add(t, "am", ValueType::time, 0);
    add(t, "pm", ValueType::time, 720);
    add(t, "km kilometers kilometres kilómetros", ValueType::measure, 1000);
    add(t, "m metre metres meter meters metro metros", ValueType::measure, 1);
    add(t, "cm centimetres centimeters centímetros", ValueType::measure, 0.01);
    add(t, "mm", ValueType::measure, 0.001);
    add(t, "mile miles milla millas", ValueType::measure, 1609);
    add(t, "kg kilo kilos kilograms kilogramos", ValueType::measure, 1e6);
    add(t, "g gram grams gramos", ValueType::measure, 1e3);
    add(t, "litre litres liter liters litro litros l", ValueType::measure, 1e9);
    add(t, "ml", ValueType::measure, 1e6 + 1);
    return t;
  }();
  return table;
}

const std::unordered_map<uint64_t, double>& number_words() {
  static const std::unordered_map<uint64_t, double> table = [] {
    std::unordered_map<uint64_t, double> t;
    auto list = [&](std::string_view words, std::initializer_list<double> amounts) {
      std::vector<Word> all;
      split_words(words, all);
      auto amount = amounts.begin();
      for (const Word& word : all) t[word.id] = *amount++;
    };
    list(
        "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
        "sixteen twenty thirty forty fifty sixty ninety hundred",
        {2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 20, 30, 40, 50, 60, 90, 100});
    list(
        "dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince "
        "dieciséis veinte treinta cuarenta cincuenta sesenta noventa cien",
        {2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 20, 30, 40, 50, 60, 90, 100});
    list("zwei drei vier fünf sechs sieben acht neun zehn", {2, 3, 4, 5, 6, 7, 8, 9, 10});
    return t;
  }();
  return table;
}

// One, and amounts that are not exact: values only where a unit follows.
const std::unordered_map<uint64_t, double>& loose_numbers() {
  static const std::unordered_map<uint64_t, double> table = [] {
    std::unordered_map<uint64_t, double> t;
    for (std::string_view one : {"a", "an", "one", "un", "una", "uno", "ein", "eine", "einen"})
      t[text_hash(one)] = 1;
    for (std::string_view few :
         {"few", "several", "some", "couple", "unos", "unas", "varios", "varias", "pocos", "pocas"})
      t[text_hash(few)] = 3.14159;
    t[text_hash("half")] = 0.5;
    t[text_hash("media")] = 0.5;
    return t;
  }();
  return table;
}

// Words of a kind, with their number in the week, the year or the day.
const Table& named_values() {
  static const Table table = [] {
    Table t;
    auto list = [&](std::string_view words, ValueType type, double step, double start = 1) {
      std::vector<Word> all;
      split_words(words, all);
      for (const Word& word : all) {
        t[word.id] = {type, start};
        start += step;
      }
    };
    const auto weekday = ValueType::weekday;
    list("monday tuesday wednesday thursday friday saturday sunday", weekday, 1);
    list("mondays tuesdays wednesdays thursdays fridays saturdays sundays", weekday, 1);
    list("lunes martes miércoles jueves viernes sábado domingo", weekday, 1);
    list("sábados domingos", weekday, 1, 6);
    list("montag dienstag mittwoch donnerstag freitag samstag sonntag", weekday, 1);
    list("lundi mardi mercredi jeudi vendredi samedi dimanche", weekday, 1);
    list("noon mediodía midday", ValueType::time, 0, 720);
    list("midnight medianoche", ValueType::time, 0, 0);
    list("january february march april may june july august september october november december",
         ValueType::month, 1);
    list("enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
         ValueType::month, 1);
    return t;
  }();
  return table;
}

// Can the word begin a value? True for a few that cannot; most words are told from these by one
// bit.
bool may_begin(uint64_t id) {
  static const std::bitset<4096> some = [] {
    std::bitset<4096> bits;
    for (auto& [word, unused] : named_values()) bits[word % bits.size()] = true;
    for (auto& [word, unused] : number_words()) bits[word % bits.size()] = true;
    for (auto& [word, unused] : loose_numbers()) bits[word % bits.size()] = true;
    return bits;
  }();
  return some[id % some.size()];
}

bool is_one_of(uint64_t id, std::initializer_list<std::string_view> words) {
  for (std::string_view word : words)
    if (id == text_hash(word)) return true;
  return false;
}
struct Sets {
  uint64_t working[6], currency[4], point;
};
const Sets& sets() {
  static const Sets all = {{text_hash("working"), text_hash("business"), text_hash("laborables"),
                            text_hash("hábiles"), text_hash("laborable"), text_hash("hábil")},
                           {text_hash("€"), text_hash("$"), text_hash("£"), text_hash("us$")},
                           text_hash(".")};
  return all;
}
bool is_working(uint64_t id) {
  for (uint64_t one : sets().working)
    if (one == id) return true;
  return false;
}
bool is_currency(uint64_t id) {
  for (uint64_t one : sets().currency)
    if (one == id) return true;
  return false;
}

// "1,000.50", "1.000,50", "16:30" in minutes, "2024-05-01" as a date.
bool read_number(std::string_view text, double& amount, ValueType& type) {
  type = ValueType::count;
  if (const size_t colon = text.find(':'); colon != text.npos) {
    int hours = 0, minutes = 0;
    std::from_chars(text.data(), text.data() + colon, hours);
    std::from_chars(text.data() + colon + 1, text.data() + text.size(), minutes);
    type = ValueType::time;
    amount = hours * 60 + minutes;
    return hours < 25 && minutes < 60;
  }
  if (text.find_first_of("-/_") != text.npos) {
    // Three groups are a date; two are a range (3-5 days), a fraction or a computation.
    const auto parts = std::count_if(text.begin(), text.end(), [](char c) { return c < '0'; });
    type = parts == 2 ? ValueType::date : ValueType::count;
    amount = 1e6 + double(text_hash(text) >> 44);
    return true;
  }
  std::string plain;
  const size_t last = text.find_last_of(".,");
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] >= '0' && text[i] <= '9') plain += text[i];
    else if (i == last && text.size() - i - 1 != 3) plain += '.';
  }
  if (plain.empty() || plain.size() > 15) return false;
  return std::from_chars(plain.data(), plain.data() + plain.size(), amount).ec == std::errc();
}

}  // namespace

void find_values(std::string_view text, const std::vector<Word>& words, std::vector<Value>& out) {
  out.clear();
  const uint32_t n = uint32_t(words.size());
  auto put = [&](uint32_t first, uint32_t last, ValueType type, double amount) {
    const uint64_t scaled = uint64_t(int64_t(amount * 1e6 + 0.5));
    out.push_back({first, last, type, amount, hash_with(uint64_t(type) + 77, scaled)});
  };
  for (uint32_t i = 0; i < n;) {
    const Word& word = words[i];
    double amount = 0;
    ValueType type = ValueType::count;
    bool loose = false, found = false;
    if (word.kind == WordKind::number) {
      found = read_number(text.substr(word.begin, word.end - word.begin), amount, type);
    } else if (word.kind == WordKind::word && may_begin(word.id)) {
      if (auto named = named_values().find(word.id); named != named_values().end()) {
        // "may" and "march" are words too.
        const bool doubtful = named->second.type == ValueType::month && !word.capital &&
                              is_one_of(word.id, {"may", "march"});
        if (!doubtful && !(is_one_of(word.id, {"may"}) && (i == 0 || !word.capital)))
          put(i, i + 1, named->second.type, named->second.factor);
        ++i;
        continue;
      }
      if (auto number = number_words().find(word.id); number != number_words().end()) {
        amount = number->second;
        found = true;
      } else if (auto one = loose_numbers().find(word.id); one != loose_numbers().end()) {
        amount = one->second;
        found = loose = true;
        // "a few weeks", "half an hour": the word that counts comes next.
        if (i + 1 < n && amount == 1) {
          auto next = loose_numbers().find(words[i + 1].id);
          if (next != loose_numbers().end() && next->second != 1) {
            ++i;
            continue;
          }
        }
      }
    }
    if (!found) {
      ++i;
      continue;
    }
    uint32_t first = i, last = i + 1;
    bool working = false;
    if (last < n && is_working(words[last].id)) {
      working = true;
      ++last;
    } else if (last < n && loose && amount == 0.5 &&
               loose_numbers().count(words[last].id)) {  // half an hour
      ++last;
    }
    if (last + 1 < n && is_one_of(words[last].id, {"个", "個", "小"}) &&
        units().count(words[last + 1].id))
      ++last;
    // "a £30 fee" is thirty pounds, and "£3 a day" a rate, no day.
    const bool of_next = loose && last < n && last + 1 < n && is_currency(words[last].id) &&
                         words[last + 1].kind == WordKind::number;
    const bool rate = loose && amount == 1 && !out.empty() && out.back().last == i &&
                      out.back().type == ValueType::price && last == i + 1 && last < n &&
                      units().count(words[last].id) > 0;
    // "a second change", and not one second.
    const bool ordinal = loose && last + 1 < n &&
                         is_one_of(words[last].id, {"second", "segundo"}) &&
                         words[last + 1].kind == WordKind::word;
    if (of_next || rate || ordinal) {
      i = of_next ? last : last + 1;
      continue;
    }
    // "2 or 3 days", "3-5 days": the unit is that of the second number, found when it comes.
    const bool symbol_first =
        i > 0 && is_currency(words[i - 1].id) && words[i - 1].end == word.begin;
    if (symbol_first) {
      first = i - 1;
      put(first, i + 1, ValueType::price, amount * units().at(words[first].id).factor);
    } else if (auto unit = last < n ? units().find(words[last].id) : units().end();
               unit != units().end() && type == ValueType::count) {
      ValueType kind = unit->second.type;
      double value = amount * unit->second.factor;
      if (kind == ValueType::time) value = (amount == 12 ? 0 : amount) * 60 + unit->second.factor;
      ++last;
      if (kind == ValueType::duration && last < n && is_working(words[last].id)) {
        working = true;
        ++last;
      }
      if (working) kind = ValueType::working_time;
      put(first, last, kind, value);
    } else if (last + 1 < n && type == ValueType::count &&
               is_one_of(words[last].id, {"per", "por"}) &&
               is_one_of(words[last + 1].id, {"cent", "ciento"})) {
      last += 2;
      put(first, last, ValueType::percent, amount);
    } else if (!loose && !working) {
      // "5 May", "5 de mayo", "May 5".
      last = i + 1;
      uint32_t month = last < n && is_one_of(words[last].id, {"de", "of"}) ? last + 1 : last;
      auto named = month < n ? named_values().find(words[month].id) : named_values().end();
      if (named != named_values().end() && named->second.type == ValueType::month &&
          type == ValueType::count && amount <= 31) {
        last = month + 1;
        put(first, last, ValueType::date, named->second.factor * 100 + amount);
      } else if (!out.empty() && out.back().last == i && out.back().type == ValueType::month &&
                 type == ValueType::count && amount <= 31) {
        const Value before = out.back();
        out.pop_back();
        put(before.first, last, ValueType::date, before.amount * 100 + amount);
      } else {
        put(first, last, type, amount);
      }
    } else {
      last = i + 1;
    }
    i = last;
  }
}

}  // namespace afina
