// The command line: commands with their options, and what the chosen command runs. The parser behind it takes many
// seconds to compile, so only command_line.cc includes it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace ordain::cli {

/// Exit codes of every command; what 1 means is in each command's help.
enum ExitCode : int {
  kOk = 0,
  kFindings = 1,  ///< the command ran and found something: errors, failures, changes
  kUsage = 2,     ///< could not run: wrong usage, unreadable files, policies with errors; or could not be written
};

/// What the value of an option names; shells complete it accordingly.
enum class ValueKind { text, file, directory };

/// What a shell needs to know about an option, a positional argument or a flag.
struct OptionShape {
  std::vector<std::string> names;  ///< "-o", "--output"; none for a positional argument
  std::string about;
  bool takes_value = true;
  bool repeats = false;              ///< takes several values, one after another
  ValueKind kind = ValueKind::text;  ///< of the values
  std::vector<std::string> choices;  ///< the only values, if there are any
};

struct CommandShape {
  std::string name, about;
  std::vector<OptionShape> options;
  std::vector<CommandShape> commands;
};

struct OptionNode;
struct CommandNode;
struct CommandTree;

/// A handle to an option of a command, an argument included. The tree owns the option. If the command is not the chosen
/// one, there is no option, and the functions do nothing.
class Option {
 public:
  explicit Option(OptionNode* node) : node_(node) {}

  Option& required();
  /// Accepts numbers from `least` to `most`, both included.
  Option& in_range(int least, int most);
  Option& in_range(double least, double most);
  Option& positive();
  Option& one_of(const std::vector<std::string>& values);
  /// Makes the option `name` of the same command necessary where this one is given.
  Option& needs(const std::string& name);
  Option& excludes(const Option& other);
  /// Shows the target's present value, or `text`, as the default in the help.
  Option& show_default();
  Option& show_default(const std::string& text);
  Option& names_file();
  Option& names_directory();
  /// Of an option that may be repeated: takes one value each time, so that `--` and a command may follow it.
  Option& takes_one_each();

 private:
  OptionNode* node_;
};

/// A handle to a command. The tree owns the command; the targets of options must outlive the parsing.
class Command {
 public:
  explicit Command(CommandNode& node) : node_(&node) {}

  Command add_command(const std::string& name, const std::string& about);
  /// A name that starts with `-` is an option (`-o,--output`: both spellings), any other name is a positional argument.
  /// Without a value on the command line the target keeps its own.
  Option add_option(const std::string& name, std::string& target, const std::string& about);
  Option add_option(const std::string& name, std::vector<std::string>& target, const std::string& about);
  Option add_option(const std::string& name, uint32_t& target, const std::string& about);
  Option add_option(const std::string& name, uint64_t& target, const std::string& about);
  Option add_option(const std::string& name, double& target, const std::string& about);
  Option add_flag(const std::string& name, bool& target, const std::string& about);

  /// Makes it wrong usage to give none of the command's own commands.
  void require_command();
  /// Text below the options in the help.
  void set_footer(const std::string& text);
  /// What the command does if it is the chosen one, and not a command below it; returns the exit code.
  void set_action(std::function<int()> action);

  /// The command with its options and the commands below it.
  CommandShape shape() const;

  /// The help of the command below this one that has the name, or of this one for "".
  /// @returns "" if there is no such command
  std::string help_of(const std::string& name) const;

 private:
  CommandNode* node_;
};

/// The whole command line of one executable.
class CommandLine {
 public:
  /// @param version called for `--version`
  /// @param chosen the one command of the root that gets its options, for those of all commands would cost each start
  /// two million instructions; "" for all of them. The others are only listed in the help.
  CommandLine(const std::string& name, const std::string& about, std::function<std::string()> version,
              const std::string& chosen = "");
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  /// The command that the executable itself is.
  Command root();

  /// Parses the arguments and runs the action of the chosen command. Prints help, the version and complaints.
  /// @returns the exit code
  int run(int argc, char** argv);

 private:
  std::unique_ptr<CommandTree> tree_;
};

}  // namespace ordain::cli
