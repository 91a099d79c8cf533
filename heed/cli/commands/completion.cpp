#include <algorithm>
#include <iostream>
#include <string>
#include <vector>

#include "heed/base/joined.h"
#include "heed/cli/command.h"
#include "heed/cli/options/options.h"

namespace heed::cli {
namespace {

// What bash offers behind the words of a command: the names of its options ("--train --valid …"),
// and behind an option with choices those.
void print_bash_command(const Command& command) {
  const Parser parser = parser_of(command);
  std::vector<std::string> names;
  std::string choices;
  for (const OptionInfo& option : parser.options->all()) {
    if (option.positional) continue;
    for (const std::string& name : option.names) {
      if (name.size() > 2) names.push_back(name);
      if (option.choices.empty()) continue;
      choices += "        " + name + ") choices=\"" + joined(option.choices, " ") + "\" ;;\n";
    }
  }
  std::cout << "    \"" << command.path << " \"*)\n      words=\"" << joined(names, " ")
            << "\"\n      case $previous in\n"
            << choices << "      esac ;;\n";
}

// The words that may follow `prefix` ("" or "train "), each once.
std::string next_words(const std::string& prefix) {
  std::vector<std::string> words;
  for (const Command& command : commands()) {
    if (!command.path.starts_with(prefix)) continue;
    const std::string rest = command.path.substr(prefix.size());
    const std::string word = rest.substr(0, rest.find(' '));
    if (std::find(words.begin(), words.end(), word) == words.end()) words.push_back(word);
  }
  return joined(words, " ");
}

// The first words of commands of two: "train".
std::vector<std::string> groups() {
  std::vector<std::string> first;
  for (const Command& command : commands()) {
    const size_t blank = command.path.find(' ');
    const std::string word = command.path.substr(0, blank);
    if (blank == std::string::npos) continue;
    if (std::find(first.begin(), first.end(), word) == first.end()) first.push_back(word);
  }
  return first;
}

void print_bash() {
  std::cout << "# bash completion for heed; put it into your bash-completion folder or source it.\n"
               "_heed() {\n"
               "  local current=${COMP_WORDS[COMP_CWORD]}\n"
               "  local typed=\"${COMP_WORDS[*]:1:COMP_CWORD-1} \"\n"
               "  local previous=${COMP_WORDS[COMP_CWORD-1]}\n"
               "  local words= choices=\n"
               "  case $typed in\n";
  for (const Command& command : commands()) print_bash_command(command);
  std::string grouped;
  for (const std::string& group : groups()) {
    std::cout << "    \"" << group << " \") words=\"" << next_words(group + " ") << "\" ;;\n";
    grouped += " || $typed == \"" + group + " \"";
  }
  std::cout << "    \" \") words=\"" << next_words("") << " --help --version\" ;;\n"
            << "  esac\n"
               "  if [[ -n $choices ]]; then\n"
               "    COMPREPLY=($(compgen -W \"$choices\" -- \"$current\"))\n"
               "  elif [[ $current == -* || $COMP_CWORD -eq 1"
            << grouped
            << " ]]; then\n"
               "    COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
               "  else\n"
               "    COMPREPLY=($(compgen -f -- \"$current\"))\n"
               "  fi\n"
               "}\n"
               "complete -o filenames -F _heed heed\n";
}

// A text inside single quotes and the brackets of zsh's _arguments.
std::string zsh_quoted(const std::string& text) {
  std::string quoted;
  for (const char c : text) {
    if (c == '\'') {
      quoted += "'\\''";
    } else if (c == '[' || c == ']' || c == ':') {
      quoted += std::string("\\") + c;
    } else {
      quoted += c;
    }
  }
  return quoted;
}

void print_zsh() {
  std::cout << "#compdef heed\n"
               "# zsh completion for heed; put it as _heed into a folder of $fpath.\n"
               "local typed=\"${(j: :)words[2,CURRENT-1]} \"\n"
               "case $typed in\n";
  for (const Command& command : commands()) {
    std::cout << "  '" << command.path << " '*) _arguments";
    const Parser parser = parser_of(command);
    for (const OptionInfo& option : parser.options->all()) {
      if (option.positional) continue;
      for (const std::string& name : option.names) {
        std::cout << " \\\n    '" << name << "[" << zsh_quoted(full_description(option)) << "]"
                  << (option.value.empty()     ? ""
                      : option.choices.empty() ? ":value:_files"
                                               : ":value:(" + joined(option.choices, " ") + ")")
                  << "'";
      }
    }
    std::cout << " \\\n    '*:file:_files' ;;\n";
  }
  for (const std::string& group : groups()) {
    std::cout << "  '" << group << " ') compadd " << next_words(group + " ") << " ;;\n";
  }
  std::cout << "  ' ') compadd " << next_words("") << " ;;\n"
            << "esac\n";
}

struct CompletionSettings {
  std::string shell;
};

void run_completion(const CompletionSettings& settings) {
  settings.shell == "bash" ? print_bash() : print_zsh();
}

void define_completion(Options& options, CompletionSettings& s) {
  options.add("shell", s.shell, "bash or zsh").required().one_of({"bash", "zsh"});
}

}  // namespace

Command completion_command() {
  return {
      .path = "completion",
      .summary = "Print the completion script of a shell",
      .examples =
          "  heed completion bash > ~/.local/share/bash-completion/completions/heed\n"
          "  heed completion zsh > ~/.zfunc/_heed\n",
      .define = with_settings(define_completion, run_completion),
  };
}

}  // namespace heed::cli
