// The options of a command: what a command defines, and what was given. It stands between the
// program and CLI11, which takes ten seconds to compile and is known to options.cpp alone.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "heed/cli/options/option_info.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace heed::cli {

// An option that is being defined.
class Option {
 public:
  explicit Option(CLI::Option* option) : option_(option) {}

  Option& required();
  Option& group(const std::string& heading);  // in the help

  // Which numbers there may be.
  Option& range(double least, double most);
  Option& at_least(double least);
  Option& above(double least);
  Option& share_below_1();     // from 0 to 1, 1 left out
  Option& share_or_nothing();  // from 0 to 1, or "": what --print-config writes where none is given

  Option& one_of(const std::vector<std::string>& names);

  // `wrong`: what is wrong with a text, "" where nothing is; `description`: what may be, for the
  // help.
  using Wrong = std::function<std::string(const std::string& text)>;
  Option& check(const Wrong& wrong, const std::string& description = "");

  // Of a list: given several times, all count. Else the last one does.
  Option& repeats();
  // Of a list: takes one word each time, not all that follow.
  Option& one_word_each();
  // Of a list: a word is several, with this between them.
  Option& separated_by(char separator);
  // Of a list: so many words each time.
  Option& at_most(int words);

  Option& excludes(const Option& other);

 private:
  CLI::Option* option_;
};

class Options {
 public:
  // `name`: of the command, "heed eval"; `examples` stand below the help.
  Options(const std::string& name, const std::string& summary, const std::string& examples = "");
  ~Options();
  Options(const Options&) = delete;
  Options& operator=(const Options&) = delete;

  // `name`: "--lr", or "files" for what stands without a name. The value that the variable has is
  // the default, and it must outlive this. Value: one of those that options.cpp lists.
  template <typename Value>
  Option add(const std::string& name, Value& value, const std::string& help);
  Option flag(const std::string& name, bool& value, const std::string& help);

  // Remembers that the option of this name ("--lr") is of a list of fields: OptionInfo::field.
  void know_as_field(const std::string& name) { fields_.insert(name); }

  // --help, --config and --print-config; behind all others.
  void finish();

  enum class Wanted { kRun, kHelp, kSettings };
  // Reads the words behind the command into the variables. Throws UsageError for what cannot be
  // used, MissingInputError for a settings file that is not there.
  Wanted parse(std::vector<std::string> words);

  std::string name() const;
  std::string summary() const;
  std::string examples() const;

  // In the order of the help; those without a name first.
  std::vector<OptionInfo> all() const;
  bool has(const std::string& name) const;  // "lr"
  bool is_given(const std::string& name) const;

  // Those that were given another value than they have anyway, by their long names: "top". (A file
  // that --print-config wrote gives every option.)
  std::vector<std::string> given() const;

  // Gives a setting these values, unless it is given already. `name`: "lr", or "files"; `place`:
  // "settings.toml:3". Throws UsageError for a value that it may not have.
  void give(const std::string& name, const std::vector<std::string>& values,
            const std::string& place = "");

  // Where a settings file gave the option of this long name; "" where none did.
  std::string place_of(const std::string& name) const;

 private:
  std::unique_ptr<CLI::App> app_;
  std::map<std::string, std::string> places_;
  std::set<std::string> fields_;
};

}  // namespace heed::cli
