// shell_parse.h reads a shell line as bash and dash do: token by token, command by command. It
// accepts only what both shells read alike, or what one of them refuses to run. Everything else is
// a fault, so that no rule relies on a reading that the shell does not share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "ordain/eval.h"

namespace ordain::stdlib::shell {

/// What a word contains besides plain characters. The flags speak of what stands outside of quotes,
/// except `kExpands`.
enum WordFlags : uint16_t {
  kQuoted = 1,        ///< quotes or backslashes
  kExpands = 2,       ///< a variable or substitution, even within double quotes
  kGlob = 4,          ///< `*`, `?` or `[`
  kBraces = 8,        ///< a brace expansion, which dash does not know
  kTilde = 16,        ///< begins with `~`
  kContinued = 32,    ///< goes on after a backslash at the end of a line
  kSplits = 64,       ///< an expansion outside of quotes, which may become several words
  kProcess = 128,     ///< a process substitution, `<(...)` or `>(...)`
  kLaterTilde = 256,  ///< a `~` after `=` or `:`, which bash expands in some words
};

enum class Role : uint8_t { word, assignment, redirection };

/// What a redirection does with its target.
enum class Access : uint8_t { none, read, write, read_write };

/// A word, an assignment, or a redirection with its target.
struct Item {
  Role role = Role::word;
  Access access = Access::none;
  bool both = false;           ///< `&>`, which ends the command in dash
  uint16_t flags = 0;          ///< WordFlags of the word or of the target
  uint32_t equals = 0;         ///< of an assignment: where its `=` or `+=` is
  std::string_view text;       ///< the word, or the redirection's target, as written
  std::string_view operation;  ///< of a redirection: its operator with the number before it
};

/// One simple command, or the head of a `for` loop.
struct Command {
  std::string_view text;  ///< from its first item to its last, as written
  std::span<const Item> items;
  bool is_loop_head = false;
  bool is_timed = false;      ///< after `time`, which is a program in dash
  bool is_outermost = false;  ///< not within parentheses or a substitution
};

/// Receives the commands. Commands within a substitution come before the command around it.
class Visitor {
 public:
  Visitor() = default;
  Visitor(const Visitor&) = delete;
  Visitor& operator=(const Visitor&) = delete;
  virtual ~Visitor() = default;
  /// `command` is valid during the call. @returns false after setting a fault
  virtual bool visit(const Command& command) = 0;
};

/// Reads `line` and gives its commands to `visitor`. @returns false, with the fault set, where bash
/// and dash may read the line differently, or may run something that it does not name. `*is_compound` is set if
/// the line has separators, parentheses or reserved words outside of substitutions.
bool parse(Eval& eval, std::string_view line, Visitor& visitor, bool* is_compound = nullptr);

/// Removes the quotes and backslashes of an Item's text and expands nothing. `out` views memory of
/// `eval`. @returns false if the budget is exhausted
bool unquote(Eval& eval, std::string_view word, std::string_view* out);

/// Reads the characters with which an Item's text begins, quotes taken off, up to the first that an
/// expansion may replace. `out` views memory of `eval`. @returns false if the budget is exhausted
bool fixed_start(Eval& eval, std::string_view word, std::string_view* out);

/// Faults where the shell would run what the command's words only describe: a computed name, text
/// that a builtin reads as commands (`eval`), or a variable whose value is evaluated.
bool check_command(Eval& eval, const Command& command);

/// @returns whether the shell evaluates the value of the variable `name`
bool is_evaluated_variable(std::string_view name);

/// @returns whether `text` may be a variable's name
bool is_name(std::string_view text);

/// The words of a command in order, without its assignments and redirections.
class Words {
 public:
  explicit Words(std::span<const Item> items) : items_(items) {}
  /// @returns the next word without taking it, or nullptr at the end
  const Item* peek() {
    while (at_ < items_.size() && items_[at_].role != Role::word) ++at_;
    return at_ < items_.size() ? &items_[at_] : nullptr;
  }
  const Item* next() {
    const Item* item = peek();
    if (item != nullptr) ++at_;
    return item;
  }
  /// @returns the words that are left before `end`, a later item of the same command
  Words before(const Item* end) const { return Words(std::span<const Item>(items_.data() + at_, end)); }

 private:
  std::span<const Item> items_;
  size_t at_ = 0;
};

/// @returns whether a word that names a program is known only when the shell has expanded it
bool is_computed(const Item& word);

/// The most items that the commands of `line` can have together, for sizing memory.
size_t count_pieces(std::string_view line);

/// Sets the fault of shell text that is not analysed. @returns false
bool fail(Eval& eval, std::string_view literal);

}  // namespace ordain::stdlib::shell
