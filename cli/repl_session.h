// What `ordain repl` works with: policies, declarations that were typed, and one event. Everything that is typed goes
// through the compiler, as a source of its own beside the policies.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ordain/compile.h"
#include "ordain/decide.h"
#include "ordain/result.h"

namespace ordain::cli {

/// What was typed, as the compiler must read it.
enum class EntryKind { expression, rule, declaration };
EntryKind kind_of_entry(std::string_view text);

/// Whether what was typed so far goes on: a bracket is open, an operator waits for its right side, or a rule or a
/// declaration for its end.
bool entry_goes_on(std::string_view text);

/// Not thread-safe.
class ReplSession {
 public:
  /// Takes these policies in place of the present ones, and forgets what was declared. `*messages` is for the user.
  /// @returns false, and changes nothing, if they have errors
  bool load(const std::vector<std::string>& paths, std::string* messages);

  /// Takes the event in place of the present one. @returns why it cannot be read
  Result<void> set_event(std::string json);
  const std::string& event() const& { return event_; }
  const std::string& event() const&& = delete;

  /// The policies with what was declared, compiled with the parts of conditions.
  const Compilation& compilation() const& { return compilation_; }
  const Compilation& compilation() const&& = delete;
  /// The same as other commands compile them.
  Compilation compile_plainly() const;

  // Each returns the answer. An error has the message for the user, which may have several lines and is safe to print.
  Result<std::string> declare(const std::string& text);
  Result<std::string> evaluate_expression(const std::string& text) const;
  Result<std::string> type_of_expression(const std::string& text) const;
  /// Decides the event by the policies and the rule, and prints what became of the rule and the decision.
  Result<void> print_rule(const std::string& text) const;

  /// What may be typed in place of the word.
  std::vector<std::string> complete(const std::string& word) const;

 private:
  using Sources = std::vector<std::shared_ptr<const Source>>;

  Sources all_sources() const;
  std::string wrap_rule() const;
  bool wrap_expression(std::string* before, std::string* after) const;
  std::string prompt_policy() const;

  Sources sources_;       // read from files
  std::string package_;   // "package acme.banking;", or ""
  std::string declared_;  // what was typed
  std::string event_ = R"({"capability": "prompt"})";
  Compilation compilation_;
  std::vector<std::string> words_;  // for completion
  Stage stage_ = Stage::before;
  std::string capability_ = "prompt";
};

}  // namespace ordain::cli
