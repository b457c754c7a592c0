// Scope defines the meaning of the names in an expression. The policy checker fills it; the
// expression checker reads it.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/check/expression/typed.h"
#include "compiler/parse/syntax.h"
#include "ordain/arena.h"
#include "ordain/diagnostic.h"
#include "ordain/function.h"
#include "ordain/schema.h"

namespace ordain {

/// A name for facts of the call or of the host: "input", "agent", "now".
struct RootName {
  const Type* type = &types::kDyn;  ///< a record; a scalar (`now`); or dyn: an undeclared capability's input or output,
                                    ///< any path of which is an optional dyn slot
  Bank bank = Bank::call;
  bool host = false;                            ///< the host supplies it
  std::set<std::string, std::less<>> builtins;  ///< fields that are "" or [] when absent
  std::set<std::string, std::less<>>
      unavailable;              ///< fields ("elapsed"), or "" for the root itself, that this stage does not have
  std::string unavailable_why;  ///< "`output` exists only in after rules"
  bool id_for_string = false;   ///< compared with a string, the name means its `id` (environment == "prod")
};

/// A history, rate or budget, as expressions name it.
struct StateName {
  StateId id = 0;
  StateKind kind = StateKind::history;
  std::string_view name;         ///< qualified
  const Type* amount = nullptr;  ///< of `sum`, `left` and `used`; nullptr: the history sums nothing
  size_t paths = 0;              ///< how many parts of its key are fields of calls
  std::string_view keys;         ///< as text: equal for equal keys
};

/// The states that a package may name, by qualified name, and what all packages of the set read of them.
struct StateScope {
  std::map<std::string, StateName, std::less<>> names;
  typed::Histories* histories = nullptr;
};

/// Every slot for state has a path that begins so; no other slot does.
inline constexpr std::string_view kStatePrefix = "state.";

/// Filled once for each (policy, capability) and used for all its expressions. `schema` gains a
/// slot (identified by path and type) for every path that they read.
struct Scope {
  Schema* schema = nullptr;
  const FunctionTable* functions = nullptr;
  std::vector<const Overload*> declared_functions;  ///< known, but not implemented
  std::string container;  ///< names are looked up as container.name, then its parents', then bare
  std::map<std::string, RootName, std::less<>> roots;  ///< may be qualified ("a.b.c"), for lone expressions
  std::map<std::string, const typed::Node*, std::less<>>
      lets;                      ///< checked `let`s (used in place of their name), by qualified name too
  StateScope* states = nullptr;  ///< nullptr: expressions here may not read state
  // An expression that reads neither input nor output is checked once for all targets, without the
  // types of either. The fields of one target are then suggested for unknown names.
  const Type* target_input = nullptr;
  const Type* target_output = nullptr;
  bool checked = true;  ///< false: all types are dyn, unknown names fault in evaluation
};

/// The risk type is a double whose values also have names. Comparisons accept the names as string
/// literals: `action.risk >= "high"`. The checker turns them into numbers and refuses other names.
extern const Type kRiskType;  ///< kind floating, name "risk"

/// What to report of a word that is not the name of a risk (code `unknown-risk`). `quote` stands around words: ` or ".
struct UnknownRisk {
  std::string message;
  std::string help;  ///< with the name that was probably meant, or ""
};
UnknownRisk describe_unknown_risk(std::string_view word, char quote);

/// Finds or adds the slot for `path`.
SlotId intern_slot(Schema& schema, std::string_view path, const Type* type, bool optional, const RootName& root,
                   bool builtin);

/// A field that an expression reads although its record does not have it. If check_in_scope
/// receives `missing`, it collects such reads there instead of reporting them: a rule under a glob
/// then does not apply to that capability.
struct MissingField {
  Span span;
  std::string path;    ///< "input.amount"
  std::string record;  ///< "send_money.input"
};

/// Types `expression`. Errors are reported (and the node has type error). `expected`, if given, is
/// the type that the context requires ("a condition must be bool, this is int": code
/// type-mismatch); dyn is accepted, and its consumer checks it at run time.
typed::Expression check_in_scope(Arena& arena, Diagnostics& diagnostics, const Scope& scope,
                                 const syntax::Expr& expression, const Type* expected,
                                 std::vector<MissingField>* missing = nullptr);

}  // namespace ordain
