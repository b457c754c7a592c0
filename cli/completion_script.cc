// All three scripts find the command that the words before the cursor name, such as `ordain audit verify`, and the last
// option among those words. If that option still takes a value they offer values, else what the command takes.
#include "cli/completion_script.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace ordain::cli {
namespace {

// A command and the words that name it: "ordain audit verify".
struct Named {
  std::string words;
  const CommandShape* command;
};

void append_commands(const std::string& before, const CommandShape& command, std::vector<Named>* out) {
  const std::string words = before.empty() ? command.name : before + " " + command.name;
  out->push_back({words, &command});
  for (const CommandShape& child : command.commands) append_commands(words, child, out);
}

std::vector<Named> all_commands(const CommandShape& root) {
  std::vector<Named> out;
  append_commands("", root, &out);
  return out;
}

std::vector<std::string> quoted_names(const std::vector<Named>& commands, const char* quote) {
  std::vector<std::string> out;
  for (const Named& each : commands) out.push_back(quote + each.words + quote);
  return out;
}

const char* kind_name(const OptionShape& option) {
  if (!option.choices.empty()) return "words";
  return option.kind == ValueKind::file ? "file" : option.kind == ValueKind::directory ? "directory" : "text";
}

const OptionShape* positional_of(const CommandShape& command) {
  const auto at = std::find_if(command.options.begin(), command.options.end(),
                               [](const OptionShape& option) { return option.names.empty(); });
  return at == command.options.end() ? nullptr : &*at;
}

// The branches of a `case` over command and option, which say how the option's value is completed: for bash and zsh.
std::string value_cases(const std::vector<Named>& commands) {
  std::string out;
  for (const auto& [words, command] : commands) {
    for (const OptionShape& option : command->options) {
      if (option.names.empty() || !option.takes_value) continue;
      std::vector<std::string> patterns;
      for (const std::string& name : option.names) patterns.push_back(fmt::format("\"{} {}\"", words, name));
      out += fmt::format("    {}) kind={}", fmt::join(patterns, " | "), kind_name(option));
      if (!option.choices.empty()) out += fmt::format(" values=\"{}\"", fmt::join(option.choices, " "));
      out += option.repeats ? " many=1 ;;\n" : " ;;\n";
    }
  }
  return out;
}

std::vector<std::string> option_names(const CommandShape& command) {
  std::vector<std::string> out;
  for (const OptionShape& option : command.options) out.insert(out.end(), option.names.begin(), option.names.end());
  return out;
}

// What a command takes where no option waits for a value: its commands, or its positional argument.
std::string bash_command_cases(const std::vector<Named>& commands) {
  std::string out;
  for (const auto& [words, command] : commands) {
    std::vector<std::string> offered;
    for (const CommandShape& child : command->commands) offered.push_back(child.name);
    const OptionShape* positional = positional_of(*command);
    if (positional != nullptr) offered = positional->choices;
    out += fmt::format("    \"{}\") kind={} values=\"{}\"\n      flags=\"{}\" ;;\n", words,
                       positional == nullptr ? "words" : kind_name(*positional), fmt::join(offered, " "),
                       fmt::join(option_names(*command), " "));
  }
  return out;
}

// Text within single quotes. @param escaped_quote what is written for a quote within it
std::string quoted(const std::string& text, const char* escaped_quote) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += escaped_quote;
    } else {
      out += c;
    }
  }
  return out + "'";
}

// "name:description", as zsh's _describe reads it.
std::string described(const std::string& name, const std::string& about) {
  std::string text = name + ":";
  for (const char c : about) {
    if (c == ':' || c == '\\') text += '\\';
    text += c;
  }
  return quoted(text, "'\\''");
}

std::string zsh_command_cases(const std::vector<Named>& commands) {
  std::string out;
  for (const auto& [words, command] : commands) {
    const OptionShape* positional = positional_of(*command);
    out += fmt::format("    \"{}\") kind={} values=\"{}\"\n      names=(", words,
                       positional == nullptr ? "words" : kind_name(*positional),
                       positional == nullptr ? "" : fmt::format("{}", fmt::join(positional->choices, " ")));
    for (const CommandShape& child : command->commands) {
      out += fmt::format("\n        {}", described(child.name, child.about));
    }
    out += ")\n      flags=(";
    for (const OptionShape& option : command->options) {
      for (const std::string& name : option.names) out += fmt::format("\n        {}", described(name, option.about));
    }
    out += ") ;;\n";
  }
  return out;
}

std::string fish_option(const std::string& condition, const OptionShape& option) {
  std::string out = fmt::format("complete -c ordain -n '{}'", condition);
  for (const std::string& name : option.names) {
    out += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  }
  if (option.takes_value) {
    const bool file = option.choices.empty() && option.kind == ValueKind::file;
    out += file ? " -r -F" : " -x";
    if (!option.choices.empty()) {
      out += fmt::format(" -a '{}'", fmt::join(option.choices, " "));
    } else if (option.kind == ValueKind::directory) {
      out += " -a '(__fish_complete_directories (commandline -ct))'";
    }
  }
  return out + fmt::format(" -d {}\n", quoted(option.about, "\\'"));
}

std::string fish_command(const Named& named) {
  const std::string condition = "__ordain_is " + named.words;
  std::string out;
  for (const CommandShape& child : named.command->commands) {
    out += fmt::format("complete -c ordain -n '{}' -a {} -d {}\n", condition, child.name, quoted(child.about, "\\'"));
  }
  bool paths = false;
  for (const OptionShape& option : named.command->options) {
    // fish does not know options with several values: it takes the second and later ones for arguments.
    paths |= option.kind != ValueKind::text && (option.names.empty() || option.repeats);
    if (!option.names.empty()) {
      out += fish_option(condition, option);
    } else if (!option.choices.empty()) {
      out += fmt::format("complete -c ordain -n '{}' -a '{}'\n", condition, fmt::join(option.choices, " "));
    }
  }
  if (paths) out += fmt::format("complete -c ordain -n '{}' -F\n", condition);
  return out;
}

constexpr const char* kBash = R"(# Completion of `ordain` for bash: source <(ordain completion bash)
_ordain() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} command=ordain option= after=0 kind= values= flags= many= i
  [[ $word == "=" ]] && word=
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "${{COMP_WORDS[i]}}" in
      =) ;;
      -?*) option=${{COMP_WORDS[i]}} after=0 ;;
      *)
        after=$((after + 1))
        case "$command ${{COMP_WORDS[i]}}" in
          {}) command+=" ${{COMP_WORDS[i]}}" option= ;;
        esac ;;
    esac
  done
  case "$command $option" in
{}  esac
  if [[ -z $kind || $word == -?* || ( $after -gt 0 && -z $many ) ]]; then
    case "$command" in
{}    esac
    if [[ $word == -* || ( $kind == words && -z $values ) ]]; then
      kind=words values=$flags
    fi
  fi
  COMPREPLY=()
  case "$kind" in
    file) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    directory) mapfile -t COMPREPLY < <(compgen -d -- "$word") ;;
    words) mapfile -t COMPREPLY < <(compgen -W "$values" -- "$word") ;;
  esac
  if [[ $kind == file || $kind == directory ]]; then
    compopt -o filenames 2> /dev/null
  fi
  return 0
}}
complete -F _ordain ordain
)";

constexpr const char* kZsh = R"(#compdef ordain
# Completion of `ordain` for zsh: source <(ordain completion zsh), or save it as _ordain in a directory of $fpath.
_ordain() {{
  local word=${{words[CURRENT]}} command=ordain option= kind= many= i
  local values= after=0
  local -a names flags
  for i in "${{(@)words[2,CURRENT-1]}}"; do
    case "$i" in
      -?*) option=$i after=0 ;;
      *)
        after=$((after + 1))
        case "$command $i" in
          {}) command+=" $i" option= ;;
        esac ;;
    esac
  done
  case "$command $option" in
{}  esac
  if [[ -z $kind || $word == -?* || ( $after -gt 0 && -z $many ) ]]; then
    case "$command" in
{}    esac
    if [[ $word == -* ]]; then
      _describe -o option flags
      return
    fi
  fi
  case "$kind" in
    file) _files ;;
    directory) _files -/ ;;
    words)
      if [[ -n $values ]]; then
        compadd -- ${{=values}}
      elif (( $#names )); then
        _describe command names
      else
        _describe -o option flags
      fi ;;
  esac
}}
if [[ ${{funcstack[1]}} == _ordain ]]; then
  _ordain "$@"
else
  compdef _ordain ordain
fi
)";

constexpr const char* kFish = R"(# Completion of `ordain` for fish: ordain completion fish | source
function __ordain_is
  set -l command ordain
  for word in (commandline -opc)[2..]
    if contains -- "$command $word" {}
      set command "$command $word"
    end
  end
  test "$command" = "$argv"
end
complete -c ordain -f
)";

}  // namespace

std::string bash_completion(const CommandShape& root) {
  const std::vector<Named> commands = all_commands(root);
  return fmt::format(kBash, fmt::join(quoted_names(commands, "\""), " | "), value_cases(commands),
                     bash_command_cases(commands));
}

std::string zsh_completion(const CommandShape& root) {
  const std::vector<Named> commands = all_commands(root);
  return fmt::format(kZsh, fmt::join(quoted_names(commands, "\""), " | "), value_cases(commands),
                     zsh_command_cases(commands));
}

std::string fish_completion(const CommandShape& root) {
  const std::vector<Named> commands = all_commands(root);
  std::string out = fmt::format(kFish, fmt::join(quoted_names(commands, "'"), " "));
  for (const Named& each : commands) out += fish_command(each);
  return out;
}

}  // namespace ordain::cli
