// Options of commands: from the command line and from an INI file, with unknown ones refused, and
// all that are in force kept for the record.
#pragma once
#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <type_traits>
#include <vector>

#include "tools/options/fields.h"
#include "tools/options/general.h"

namespace afina {

// An option as it was declared.
struct Option {
  std::string group, name, help;
  std::string letter;  // "m" of "model,m"; may be empty
  std::string shown;   // in place of its default in --help; empty: nothing is shown
  Bits bits;
  bool required = false;
  bool flag = false;               // takes no value: a bool that is false unless given
  bool many = false;               // may be given more than once
  std::vector<std::string> words;  // those it may be, where these are few
  Names names = Names::nothing;    // what its value names
  bool number = false;             // its value is a number
  std::function<void(const std::string& text)> set;
  std::function<std::string()> text;  // of what it holds; empty: nothing
};

// The options of a command. Groups are shown by --help in the order in which they were added, the
// general ones last.
class Options {
 public:
  // intro: what the command does, for --help.
  Options(std::string command, std::string intro);

  // The fields of `fields`, which must outlive this. A name that is known already is an Error.
  template <class Group>
  void add(const std::string& title, Group& fields) {
    Declare declare{*this, title};
    Group::each(fields, declare);
  }
  // One that was declared, to be shown or required otherwise by this command. An Error if unknown.
  Option& at(const std::string& name);
  void leave_out(const std::string& name);
  // The value of this option may stand without its name, first or last: 'afina methods lora'.
  void may_lead(const std::string& name) { leading_ = at(name).name; }

  // Reads words, then the file named by --config for what the words do not say, into the fields.
  // False when --help was asked and printed. A wrong line is a UsageError that names the option,
  // what was expected or the nearest known option and, in a file, the file. Nothing but the fields
  // is changed.
  bool parse(const std::vector<std::string>& words);
  // The words, with --NAME put before each that belongs to no option: for commands that take names
  // of files without it.
  std::vector<std::string> with_name(const std::string& name,
                                     const std::vector<std::string>& words) const;
  // The lines of an INI file alone; `path` is its name in messages.
  void parse_ini(const std::string& text, const std::string& path);

  bool given(const std::string& name) const { return given_.count(name) > 0; }  // not a default
  const GeneralOptions& general() const { return general_; }
  const std::vector<Option>& all() const { return options_; }
  const std::string& intro() const { return intro_; }
  const std::string& leading() const { return leading_; }  // empty: none
  // Every option that has a value, as text.
  std::map<std::string, std::string> in_force() const;
  // The same for readers: an option that was not given stands as --help shows its default, "all"
  // and not -1; those of which it shows none are left out.
  std::map<std::string, std::string> readable() const;
  // A UsageError where both options are given.
  void not_both(const std::string& one, const std::string& other) const;

  // While it is set, it gets what --help would print (tools/options/declared.h).
  static thread_local const std::function<void(const Options&)>* on_help;

 private:
  template <class T>
  struct Inner {
    using type = T;
  };
  template <class T>
  struct Inner<std::optional<T>> {
    using type = T;
  };
  // The visitor that takes the fields of a group in.
  struct Declare {
    Options& options;
    const std::string& group;
    template <class T>
    void operator()(const char* name, T& field, Bits bits, const char* help, Default other = {}) {
      Option o;
      o.group = group;
      o.name = long_name(name);
      o.letter = std::string(name).substr(std::min(std::string(name).size(), o.name.size() + 1));
      o.help = help;
      o.bits = bits;
      o.required = other.required;
      if constexpr (std::is_same_v<T, bool>) o.flag = !field;
      o.many = std::is_same_v<T, std::vector<std::string>>;
      using Held = typename Inner<T>::type;
      if constexpr (Worded<Held>) o.words = words_of<Held>();
      if (std::is_same_v<Held, bool> && !o.flag) o.words = {"true", "false"};
      o.names = other.names;
      o.number = std::is_arithmetic_v<Held> && !std::is_same_v<Held, bool>;
      // A default below zero stands for "not given", which nobody means by a number. Other numbers
      // out of range are for the checks of each group to refuse.
      int64_t unset = 0;
      if constexpr (std::is_same_v<T, int64_t>) unset = std::min(field, unset);
      o.set = [&field, option = o.name, unset](const std::string& text) {
        T value = field;
        read_text(value, option, text);
        if constexpr (std::is_same_v<T, int64_t>)
          if (unset < 0 && value == unset)
            throw UsageError("--" + option + " " + text + ": expected 0 or more");
        field = std::move(value);
      };
      o.text = [&field] { return text_of(field); };
      o.shown = other.text ? other.text : o.flag ? "" : o.text();
      options.declare(std::move(o));
    }
  };
  void declare(Option option);
  // Takes in texts of options that are not given yet.
  void set(const std::map<std::string, std::vector<std::string>>& texts);

  std::string command_, intro_, leading_;
  std::vector<Option> options_;
  std::set<std::string> given_;
  GeneralOptions general_;
};

}  // namespace afina
