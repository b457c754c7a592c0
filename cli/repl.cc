// ordain repl: expressions, rules and declarations, typed one after another and answered against an event.
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "cli/command.h"
#include "cli/explanation.h"
#include "cli/input.h"
#include "cli/line_editor.h"
#include "cli/repl_session.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "ordain/disasm.h"
#include "ordain/history.h"
#include "ordain/index_text.h"
#include "ordain/json.h"
#include "ordain/time_text.h"

namespace ordain::cli {
namespace {

struct Options {
  std::vector<std::string> policies;
  std::string event;
};

constexpr size_t kMostEntryBytes = 1 << 20;
constexpr size_t kMostPlanned = 20;  // as `ordain plan` shows unless told otherwise

constexpr const char* kHelp = R"(EXPRESSION           its value for the event, as JSON
RULE                 what the rule comes to, and what is then decided: deny big when input.amount > 5;
let x = ...;         a declaration, which stays: let, capability, context, policy, history, rate, budget, label
:type EXPRESSION     its type
:explain             what every rule comes to, and what would change the decision
:plan                which tests lead to which rules
:disasm              what the policies compile to
:event FILE|JSON     another event; without anything, the present one is shown
:load [PATH...]      other policies, or the same ones again; what was declared is forgotten
:help                this
:quit                ends, as the end of the input does
An entry goes on over several lines while a bracket is open, an operator waits, or a rule lacks its `;`.
An empty line ends it. The tabulator completes names.
)";

const std::vector<std::string>& command_words() {
  static const std::vector<std::string> kWords = {":type",  ":explain", ":plan", ":disasm",
                                                  ":event", ":load",    ":help", ":quit"};
  return kWords;
}

// Reads a file with one event. @returns error "unreadable"
Result<std::string> read_event_file(const std::string& name) {
  auto input = Input::open(name);
  if (!input) return input.error();
  std::string out;
  for (std::string line; input->next_line(&line) && out.size() <= kMostEntryBytes;) out += line + "\n";
  if (auto read = input->check_read(); !read) return read.error();
  if (out.size() > kMostEntryBytes) return Error{"unreadable", name + " is too large for one event"};
  return out;
}

// Where entries come from: a terminal, or lines of a pipe or file.
class EntrySource {
 public:
  explicit EntrySource(const ReplSession& session) {
    if (isatty(STDIN_FILENO) == 0 || isatty(STDOUT_FILENO) == 0) return;
    editor_.emplace([&session](const std::string& word) {
      if (!word.starts_with(':')) return session.complete(word);
      std::vector<std::string> out;
      for (const std::string& each : command_words()) {
        if (each.starts_with(word)) out.push_back(each);
      }
      return out;
    });
  }

  bool on_terminal() const { return editor_.has_value(); }

  // Reads one entry, of one line or of several. @returns false at the end of the input
  bool next_entry(std::string* entry) {
    entry->clear();
    for (std::string line; next_line(entry->empty() ? "ordain> " : "   ...> ", &line);) {
      const bool ends = is_blank(line);
      if (ends && entry->empty()) continue;
      if (!entry->empty()) *entry += "\n";
      *entry += line;
      const bool command = entry->starts_with(':');
      if (ends || command || entry->size() > kMostEntryBytes || !entry_goes_on(*entry)) return true;
    }
    return !entry->empty();
  }

 private:
  bool next_line(const char* prompt, std::string* line) {
    if (editor_) return editor_->next_line(prompt, line);
    return static_cast<bool>(lines_) && lines_->next_line(line);
  }

  std::optional<LineEditor> editor_;
  Result<Input> lines_ = Input::open("-");
};

class Repl {
 public:
  explicit Repl(const Options& options) : paths_(options.policies) {}

  // Loads what the command line names. @returns false after complaining
  bool begin(const std::string& event_file) {
    std::string messages;
    if (!session_.load(paths_, &messages)) {
      write_error(messages);
      return false;
    }
    write_error(messages);
    if (event_file.empty()) return true;
    auto event = read_event_file(event_file);
    const Result<void> set = event ? session_.set_event(*event) : Result<void>(event.error());
    if (!set) complain(event_file + ": " + set.error().message);
    return static_cast<bool>(set);
  }

  int run() {
    EntrySource source(session_);
    if (source.on_terminal()) print_out("`:help` says what can be typed; `:quit` ends.\n");
    for (std::string entry; !done_ && source.next_entry(&entry);) {
      if (!answer(entry)) failed_ = true;
      if (!try_flush()) throw OutputFailure();
    }
    return failed_ && !source.on_terminal() ? kFindings : kOk;
  }

 private:
  // @returns false if there was no answer
  bool answer(const std::string& entry) {
    if (entry.size() > kMostEntryBytes) return say({"too_long", "an entry may have at most 1 MiB\n"});
    const size_t start = entry.find_first_not_of(" \t");
    if (start != std::string::npos && entry[start] == ':') return run_command(entry.substr(start));
    switch (kind_of_entry(entry)) {
      case EntryKind::rule: {
        const Result<void> printed = session_.print_rule(entry);
        return printed ? true : say(printed.error());
      }
      case EntryKind::declaration:
        return say(session_.declare(entry));
      case EntryKind::expression:
        return say(session_.evaluate_expression(entry));
    }
    return false;
  }

  bool run_command(const std::string& entry) {
    const size_t space = std::min(entry.find_first_of(" \t"), entry.size());
    const std::string word = entry.substr(0, space);
    const size_t from = std::min(entry.find_first_not_of(" \t", space), entry.size());
    std::string rest = entry.substr(from);
    rest.resize(rest.find_last_not_of(" \t\r") + 1);
    if (word == ":type") return say(session_.type_of_expression(rest));
    if (word == ":explain") return explain();
    if (word == ":plan" || word == ":disasm") return show_program(word);
    if (word == ":event") return take_event(rest);
    if (word == ":load") return load(rest);
    if (word == ":help") return say(std::string(kHelp));
    if (word == ":quit" || word == ":q") {
      done_ = true;
      return true;
    }
    const std::string near = nearest(word, command_words());
    print_out("no command `{}`{}; `:help` lists them\n", word, near.empty() ? "" : ", did you mean `" + near + "`?");
    return false;
  }

  bool explain() {
    const TimeParts now = timestamp_of_nanos(system_time_ns());
    detail::Explainer explainer(session_.compilation(), {}, {.now = now});
    if (auto read = explainer.read(session_.event()); !read) return say(read.error());
    const auto outcomes = explainer.outcomes();
    std::vector<DecisionChange> changes;
    if (auto found = find_changes(session_.compilation().program, session_.event(), {.now = now})) changes = *found;
    const Decision decision = explainer.decision();
    const bool found_no_change = !outcomes.empty() && changes.empty();
    print_explanation(*session_.compilation().program,
                      {1, explainer.reader(), decision, outcomes, changes, {}, found_no_change});
    return true;
  }

  bool show_program(const std::string& word) {
    const Compilation compiled = session_.compile_plainly();
    const Program& program = *compiled.program;
    write_out(word == ":plan" ? describe_index(program, kMostPlanned) + describe_history(program)
                              : disassemble(program));
    return true;
  }

  bool take_event(const std::string& text) {
    if (text.empty()) {
      const auto event = Document::parse(session_.event());
      print_out("{}\n", event ? event->json() : session_.event());
      return true;
    }
    Result<std::string> json = text.starts_with('{') ? Result<std::string>(text) : read_event_file(text);
    const Result<void> set = json ? session_.set_event(*json) : Result<void>(json.error());
    if (set) return true;
    print_out("{}\n", set.error().message);
    return false;
  }

  bool load(const std::string& text) {
    std::vector<std::string> paths;
    for (size_t at = text.find_first_not_of(' '); at < text.size(); at = text.find_first_not_of(' ', at)) {
      const size_t end = std::min(text.find(' ', at), text.size());
      paths.push_back(text.substr(at, end - at));
      at = end;
    }
    if (paths.empty()) paths = paths_;
    std::string messages;
    const bool loaded = session_.load(paths, &messages);
    write_out(messages);
    if (!loaded) return false;
    paths_ = paths;
    print_out("{}\n", count_text(session_.compilation().program->rules().size(), "rule"));
    return true;
  }

  // Prints what is safe already.
  bool say(const Result<std::string>& answer) {
    if (!answer) return say(answer.error());
    write_out(*answer);
    return true;
  }
  bool say(const Error& error) {
    write_out(error.message.ends_with('\n') ? error.message : format_for_terminal("{}\n", error.message));
    return false;
  }

  std::vector<std::string> paths_;
  ReplSession session_;
  bool done_ = false;
  bool failed_ = false;
};

int run(const Options& options) {
  Repl repl(options);
  return repl.begin(options.event) ? repl.run() : kUsage;
}

}  // namespace

void add_repl(Command parent) {
  auto options = std::make_shared<Options>();
  Command command = parent.add_command("repl", "Try expressions and rules on an event, as you type them");
  command.add_option("PATH", options->policies, "policy files, or directories searched for *.policy").names_file();
  command.add_option("--event", options->event, "a file with one event, as `ordain eval` reads it").names_file();
  command.set_footer(
      "`:help` at the prompt says what can be typed. Input that is piped is answered entry by entry.\n"
      "Exit codes: 0 done, 1 some entry of piped input had no answer, 2 policies, event or usage wrong.");
  command.set_action([options] { return run(*options); });
}

}  // namespace ordain::cli
