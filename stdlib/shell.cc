// shell.cc holds the functions that read shell lines for rules. Shells differ and hide much, so any
// text that could be read in two ways is a fault: see shell_parse.h for the reading, and
// shell_programs.h for the programs that a line runs.
#include <algorithm>

#include "stdlib/rows.h"
#include "stdlib/shell_parse.h"
#include "stdlib/shell_programs.h"

namespace ordain::stdlib {
namespace {

// A list that grows by doubling in an evaluation's memory.
class ListBuilder {
 public:
  explicit ListBuilder(Eval& eval) : eval_(eval) {}
  bool add(std::string_view text) {
    if (count_ == capacity_ && !grow()) return false;
    items_[count_++] = Value::string(text);
    return true;
  }
  std::span<Value> items() { return {items_, count_}; }

 private:
  bool grow() {
    const size_t wanted = std::max<size_t>(capacity_ * 2, 8);
    auto* grown = eval_.array<Value>(wanted);
    if (grown == nullptr) return false;
    std::copy(items_, items_ + count_, grown);
    items_ = grown;
    capacity_ = wanted;
    return true;
  }

  Eval& eval_;
  Value* items_ = nullptr;
  size_t count_ = 0;
  size_t capacity_ = 0;
};

class Commands final : public shell::Visitor {
 public:
  explicit Commands(Eval& eval) : list_(eval) {}
  bool visit(const shell::Command& command) override { return list_.add(command.text); }
  ListBuilder& list() { return list_; }

 private:
  ListBuilder list_;
};

bool commands(Eval& eval, const Value* args, Value* result) {
  Commands visitor(eval);
  if (!shell::parse(eval, args[0].as_text(), visitor)) return false;
  const std::span<Value> out = visitor.list().items();
  // A substitution ends before the command around it, so sort the commands by where they start.
  std::sort(out.begin(), out.end(),
            [](const Value& a, const Value& b) { return a.text != b.text ? a.text < b.text : a.aux > b.aux; });
  return give(result, Value::list(out));
}
uint64_t commands_cost(const Value* args) { return args[0].aux / 2; }

// Takes the words of the outermost command, then its assignments and redirections.
class Split final : public shell::Visitor {
 public:
  explicit Split(Eval& eval) : eval_(eval), list_(eval) {}

  bool visit(const shell::Command& command) override {
    if (!command.is_outermost) return true;
    const bool has_words = shell::Words(command.items).peek() != nullptr;
    for (const bool words : {true, false}) {
      for (const shell::Item& item : command.items) {
        if ((item.role == shell::Role::word) == words && !add(item, has_words)) return false;
      }
    }
    return true;
  }
  ListBuilder& list() { return list_; }

 private:
  bool add(const shell::Item& item, bool has_words) {
    std::string_view text;
    if ((item.flags & shell::kBraces) != 0) return shell::fail(eval_, "shell text has braces that bash expands");
    if (!shell::unquote(eval_, item.text, &text)) return false;
    if (item.role == shell::Role::assignment && has_words && shell::changes_lookup(text.substr(0, text.find('=')))) {
      return shell::fail(eval_, "shell text changes where a command's program is found");
    }
    if (item.role != shell::Role::redirection) return list_.add(text);
    auto* joined = eval_.array<char>(item.operation.size() + text.size());
    if (joined == nullptr) return false;
    std::copy(text.begin(), text.end(), std::copy(item.operation.begin(), item.operation.end(), joined));
    return list_.add({joined, item.operation.size() + text.size()});
  }

  Eval& eval_;
  ListBuilder list_;
};

bool split(Eval& eval, const Value* args, Value* result) {
  Split visitor(eval);
  bool is_compound = false;
  if (!shell::parse(eval, args[0].as_text(), visitor, &is_compound)) return false;
  if (is_compound) return shell::fail(eval, "shell text is not one simple command");
  return give(result, Value::list(visitor.list().items()));
}

class Programs final : public shell::Findings {
 public:
  explicit Programs(Eval& eval) : list_(eval) {}
  bool add_program(std::string_view name) override { return list_.add(name); }
  bool add_redirection(const shell::Item&) override { return true; }
  ListBuilder& list() { return list_; }

 private:
  ListBuilder list_;
};

bool programs(Eval& eval, const Value* args, Value* result) {
  Programs found(eval);
  if (!shell::find_programs(eval, args[0].as_text(), found)) return false;
  return give(result, Value::list(found.list().items()));
}

// The files that redirections read or write.
class Files final : public shell::Findings {
 public:
  Files(Eval& eval, bool written) : eval_(eval), written_(written), list_(eval) {}
  bool add_program(std::string_view) override { return true; }

  bool add_redirection(const shell::Item& target) override {
    constexpr uint16_t kComputed = shell::kExpands | shell::kGlob | shell::kBraces | shell::kTilde | shell::kLaterTilde;
    const shell::Access other = written_ ? shell::Access::read : shell::Access::write;
    if (target.access == other) return true;
    const bool is_process = (target.flags & shell::kProcess) != 0 && target.text.substr(1).starts_with('(') &&
                            target.text.find(')') == target.text.size() - 1;
    if (is_process) return true;
    if ((target.flags & kComputed) != 0) {
      return shell::fail(eval_, "shell text redirects to a computed name");
    }
    std::string_view text;
    return shell::unquote(eval_, target.text, &text) && list_.add(text);
  }
  ListBuilder& list() { return list_; }

 private:
  Eval& eval_;
  bool written_;
  ListBuilder list_;
};

template <bool Written>
bool files(Eval& eval, const Value* args, Value* result) {
  Files found(eval, Written);
  if (!shell::find_programs(eval, args[0].as_text(), found)) return false;
  return give(result, Value::list(found.list().items()));
}

}  // namespace

void add_shell(FunctionTable& table) {
  const Overload rows[] = {
      {"shell.commands", "shell_commands", "(string) -> list(string)", commands,
       "The simple commands of a shell line, those in $(...) and backticks included; a fault where bash and dash may "
       "differ, or run something that the line does not name.",
       commands_cost},
      {"shell.split", "shell_split", "(string) -> list(string)", split,
       "The words of one simple command, quotes taken off, nothing expanded; then its assignments and redirections, "
       "such "
       "as \"A=1\" and \"2>log\".",
       commands_cost},
      {"shell.programs", "shell_programs", "(string) -> list(string)", programs,
       "The programs that a shell line runs, those behind env, sudo, xargs, sh -c and their like included; a path is "
       "listed whole and by its last part.",
       commands_cost},
      {"shell.reads", "shell_reads", "(string) -> list(string)", files<false>,
       "The files that the redirections of a shell line read; a fault if a name is computed.", commands_cost},
      {"shell.writes", "shell_writes", "(string) -> list(string)", files<true>,
       "The files that the redirections of a shell line write; a fault if a name is computed.", commands_cost},
  };
  add_rows(table, rows);
}

}  // namespace ordain::stdlib
