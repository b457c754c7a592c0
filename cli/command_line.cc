#include "cli/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cmath>
#include <deque>
#include <sstream>
#include <system_error>

#include "cli/terminal.h"
#include "cli/text.h"
#include "ordain/diagnostic.h"

namespace ordain::cli {

struct OptionNode {
  CLI::Option* option;
  ValueKind kind = ValueKind::text;
  std::vector<std::string> choices = {};
};

struct CommandNode {
  CommandTree* tree;
  CLI::App* app;
  bool has_options = true;  // false for a command that is only listed in the help
};

// A deque keeps the nodes where they are when others are added.
struct CommandTree {
  CommandTree(const std::string& about, const std::string& name) : app(about, name) {}

  CLI::App app;
  std::deque<CommandNode> commands;
  std::deque<OptionNode> options;
  std::string only;  // the command that gets options; "" for all
  std::function<int()> chosen;

  Option add(CLI::Option* option) { return Option(&options.emplace_back(OptionNode{option})); }
  OptionShape shape_of(const CLI::Option& option) const;
  CommandShape shape_of(const CLI::App& command) const;
};

OptionShape CommandTree::shape_of(const CLI::Option& option) const {
  OptionShape out;
  for (const std::string& name : option.get_snames()) out.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) out.names.push_back("--" + name);
  out.about = option.get_description();
  out.takes_value = option.get_items_expected_max() > 0;
  out.repeats = option.get_items_expected_max() > 1;
  const auto node =
      std::find_if(options.begin(), options.end(), [&](const OptionNode& each) { return each.option == &option; });
  if (node != options.end()) out.kind = node->kind, out.choices = node->choices;
  return out;
}

CommandShape CommandTree::shape_of(const CLI::App& command) const {
  CommandShape out{.name = command.get_name(), .about = command.get_description()};
  for (const CLI::Option* option : command.get_options()) out.options.push_back(shape_of(*option));
  for (const CLI::App* child : command.get_subcommands({})) out.commands.push_back(shape_of(*child));
  return out;
}

Option& Option::required() {
  if (node_ != nullptr) node_->option->required();
  return *this;
}

Option& Option::in_range(int least, int most) {
  if (node_ != nullptr) node_->option->check(CLI::Range(least, most));
  return *this;
}

Option& Option::in_range(double least, double most) {
  if (node_ != nullptr) node_->option->check(CLI::Range(least, most));
  return *this;
}

Option& Option::positive() {
  if (node_ != nullptr) node_->option->check(CLI::PositiveNumber);
  return *this;
}

Option& Option::one_of(const std::vector<std::string>& values) {
  if (node_ == nullptr) return *this;
  node_->option->check(CLI::IsMember(values));
  node_->choices = values;
  return *this;
}

Option& Option::needs(const std::string& name) {
  if (node_ != nullptr) node_->option->needs(name);
  return *this;
}

Option& Option::excludes(const Option& other) {
  if (node_ != nullptr) node_->option->excludes(other.node_->option);
  return *this;
}

Option& Option::takes_one_each() {
  if (node_ != nullptr) node_->option->allow_extra_args(false);
  return *this;
}

Option& Option::show_default() {
  if (node_ != nullptr) node_->option->capture_default_str();
  return *this;
}

Option& Option::show_default(const std::string& text) {
  if (node_ != nullptr) node_->option->default_str(text);
  return *this;
}

Option& Option::names_file() {
  if (node_ != nullptr) node_->kind = ValueKind::file;
  return *this;
}

Option& Option::names_directory() {
  if (node_ != nullptr) node_->kind = ValueKind::directory;
  return *this;
}

Command Command::add_command(const std::string& name, const std::string& about) {
  if (!node_->has_options) return *this;
  CommandTree& tree = *node_->tree;
  const bool has_options = node_->app != &tree.app || tree.only.empty() || tree.only == name;
  return Command(tree.commands.emplace_back(CommandNode{&tree, node_->app->add_subcommand(name, about), has_options}));
}

namespace {

/// An empty value, as of a variable that a script forgot to set, must not count as an option that is absent.
CLI::Option* refuse_empty(CLI::Option* option) {
  return option->check([](const std::string& text) { return std::string(text.empty() ? "must not be empty" : ""); },
                       "");
}

}  // namespace

Option Command::add_option(const std::string& name, std::string& target, const std::string& about) {
  if (!node_->has_options) return Option(nullptr);
  return node_->tree->add(refuse_empty(node_->app->add_option(name, target, about)));
}

Option Command::add_option(const std::string& name, std::vector<std::string>& target, const std::string& about) {
  if (!node_->has_options) return Option(nullptr);
  return node_->tree->add(refuse_empty(node_->app->add_option(name, target, about)));
}

namespace {

/// @returns what is wrong with the text of a whole number, or "". The parser behind the command line reads " -1" and
/// every number that is too large as the largest number, "" as 0, and "010" as 8, so it only gets what has one meaning.
template <typename Number>
std::string refuse_odd_count(const std::string& text) {
  if (text.starts_with('-')) return "must not be negative: " + text;
  Number number = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, number);
  if (error == std::errc::result_out_of_range) return "is too large: " + text;
  if (error != std::errc() || end != last) return "must be a whole number: " + text;
  return text.size() > 1 && text.front() == '0' ? "must not begin with 0: " + text : "";
}

/// A number that is not finite would be within every range.
std::string refuse_odd_number(const std::string& text) {
  double number = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, number);
  return error != std::errc() || end != last || !std::isfinite(number) ? "must be a number: " + text : "";
}

}  // namespace

Option Command::add_option(const std::string& name, uint32_t& target, const std::string& about) {
  if (!node_->has_options) return Option(nullptr);
  return node_->tree->add(node_->app->add_option(name, target, about)->check(refuse_odd_count<uint32_t>, ""));
}

Option Command::add_option(const std::string& name, uint64_t& target, const std::string& about) {
  if (!node_->has_options) return Option(nullptr);
  return node_->tree->add(node_->app->add_option(name, target, about)->check(refuse_odd_count<uint64_t>, ""));
}

Option Command::add_option(const std::string& name, double& target, const std::string& about) {
  if (!node_->has_options) return Option(nullptr);
  return node_->tree->add(node_->app->add_option(name, target, about)->check(refuse_odd_number, ""));
}

Option Command::add_flag(const std::string& name, bool& target, const std::string& about) {
  if (!node_->has_options) return Option(nullptr);
  return node_->tree->add(node_->app->add_flag(name, target, about));
}

void Command::require_command() {
  if (node_->has_options) node_->app->require_subcommand(1);
}

void Command::set_footer(const std::string& text) {
  if (node_->has_options) node_->app->footer(text);
}

void Command::set_action(std::function<int()> action) {
  if (!node_->has_options) return;
  // The parser calls back for the commands below first, and then for this one.
  node_->app->callback([tree = node_->tree, app = node_->app, action = std::move(action)] {
    if (app->get_subcommands().empty()) tree->chosen = action;
  });
}

CommandShape Command::shape() const { return node_->tree->shape_of(*node_->app); }

std::string Command::help_of(const std::string& name) const {
  const CLI::App& own = *node_->app;
  // App::help() would give the help of the command that was chosen.
  const auto text = [](const CLI::App& app, const std::string& path) {
    return app.get_formatter()->make_help(&app, path, CLI::AppFormatMode::Normal);
  };
  if (name.empty()) return text(own, own.get_name());
  for (const CLI::App* command : own.get_subcommands({})) {
    if (command->get_name() == name) return text(*command, own.get_name() + " " + name);
  }
  return "";
}

CommandLine::CommandLine(const std::string& name, const std::string& about, std::function<std::string()> version,
                         const std::string& chosen)
    : tree_(new CommandTree(about, name)) {
  CLI::App& app = tree_->app;
  tree_->only = chosen;
  tree_->commands.push_back({tree_.get(), &app});
  app.set_version_flag("--version", std::move(version));
}

CommandLine::~CommandLine() = default;

namespace {

// Follows the words of the command line to the command that they name. `*unknown` is the word that
// should name a command, but does not; or empty.
const CLI::App& find_command(const CLI::App& root, int argc, char** argv, std::string* path, std::string* unknown) {
  const CLI::App* at = &root;
  *path = root.get_name();
  for (int i = 1; i < argc && argv[i][0] != '-'; ++i) {
    const auto commands = at->get_subcommands({});
    const auto found = std::find_if(commands.begin(), commands.end(),
                                    [&](const CLI::App* command) { return command->get_name() == argv[i]; });
    if (found == commands.end()) {
      if (!commands.empty()) *unknown = argv[i];
      break;
    }
    at = *found;
    *path += " " + at->get_name();
  }
  return *at;
}

std::string suggestion(const std::string& word, const std::vector<std::string>& names) {
  const std::string near = nearest(word, names);
  return near.empty() ? "" : fmt::format(", did you mean `{}`?", near);
}

// The first word that should be an option of the command, but is not; or empty. `*names` are the options.
std::string find_unknown_option(const CLI::App& command, int argc, char** argv, std::vector<std::string>* names) {
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) names->push_back("--" + name);
  }
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--") break;  // positional arguments follow
    if (!word.starts_with("--")) continue;
    const std::string name = word.substr(0, word.find('='));
    if (std::find(names->begin(), names->end(), name) == names->end()) return name;
  }
  return "";
}

std::string usage_message(const CLI::App& root, int argc, char** argv, const std::string& why) {
  std::string path, unknown;
  const CLI::App& command = find_command(root, argc, argv, &path, &unknown);
  std::string message = why;
  if (!unknown.empty()) {
    std::vector<std::string> names;
    for (const CLI::App* known : command.get_subcommands({})) names.push_back(known->get_name());
    message = fmt::format("no command `{}`{}", unknown, suggestion(unknown, names));
  } else {
    // The parser might rather complain of the option that is missing, since it has another name here.
    std::vector<std::string> names;
    const std::string option = find_unknown_option(command, argc, argv, &names);
    if (!option.empty()) message = fmt::format("no option `{}`{}", option, suggestion(option, names));
  }
  return format_for_terminal("{}: {}\nRun `{} --help` for what there is.\n", root.get_name(), message, path);
}

}  // namespace

Command CommandLine::root() { return Command(tree_->commands.front()); }

int CommandLine::run(int argc, char** argv) {
  prepare_output();
  int code = kUsage;
  try {
    tree_->app.parse(argc, argv);
    code = tree_->chosen();
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {  // --help and --version
      std::ostringstream text;
      tree_->app.exit(error, text, text);
      try_write(text.str());
      code = kOk;
    } else {
      write_error(usage_message(tree_->app, argc, argv, error.what()));
    }
  } catch (const OutputFailure&) {  // finish_output says so
  } catch (const std::exception& error) {
    complain(error.what());
  }
  return finish_output(code);
}

}  // namespace ordain::cli
