// The syntax tree: what the author wrote, nothing resolved. `parse` makes it; `check` reads it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "ordain/arena.h"
#include "ordain/diagnostic.h"
#include "ordain/program.h"
#include "ordain/schema.h"
#include "ordain/value.h"

namespace ordain::syntax {

// Everything lives in the Arena given to `parse`; string_views point into it or into the Source.

enum class ExprKind : uint8_t {
  literal,  ///< `value`
  ident,    ///< `name`, `leading_dot`
  select,   ///< args[0] `.` `name`; `optional`: `.?`
  call,  ///< `name`(args); a member call has `member` set and the receiver as args[0]. Operators are calls named as CEL
         ///< names them: _+_ _-_ _*_ _/_ _%_ _<_ _<=_ _>_ _>=_ _==_ _!=_ @in _&&_ _||_ !_ -_ _?_:_ _[_] _[?_]
  list,  ///< args; `optionals[i]`: [?x]
  map,   ///< args: key, value, key, value, ...; `optionals[i]` of entry i: {?k: v}
  message,  ///< T{f: v}: parsed, refused by the checker; args[0] is T
};

struct Expr {
  ExprKind kind = ExprKind::literal;
  bool leading_dot = false;
  bool member = false;
  bool optional = false;
  Span span;  ///< the whole expression
  Span at;    ///< what a fault or message points to: the operator, the called or selected name, the first token
  std::string_view name;
  Value value;  ///< literal; its text is in the arena, escapes decoded
  std::span<Expr* const> args;
  std::span<const bool> optionals;  ///< empty if none is set
};

struct Name {
  std::string_view text;
  Span span;
};

struct RecordSyntax;

/// `string`, `list(int)`, `optional(string)`, or a record.
struct TypeSyntax {
  std::string_view name;  ///< empty for a record
  Span span;
  std::span<TypeSyntax* const> params;
  RecordSyntax* record = nullptr;
};

struct FieldSyntax {
  Name name;
  TypeSyntax* type = nullptr;
};

struct RecordSyntax {
  bool open = false;
  Span span;
  std::span<const FieldSyntax> fields;
};

struct ImportDecl {
  Name path;
};
struct OptionDecl {
  Name name;
  Name value;
};
struct ContextEntry {
  Name name;
  RecordSyntax* record = nullptr;
};
struct ContextDecl {
  Span span;
  std::span<const ContextEntry> entries;
};

/// Properties may each stand once. Texts are decoded.
struct CapabilityDecl {
  Name name;
  std::optional<Name> type, risk, owner, description;
  std::span<const Name> effects, scopes, tags;
  RecordSyntax* input = nullptr;
  RecordSyntax* output = nullptr;
};

struct LetDecl {
  Name name;
  Expr* value = nullptr;
};

struct PathStep {
  std::string_view field;  ///< empty: [*], every element
  Span span;
};

/// deny, require_approval, allow, redact, warn, with its clauses.
struct RuleDecl {
  RuleKind kind = RuleKind::deny;
  Span span;                       ///< whole rule
  Span word;                       ///< the effect word
  Name name;                       ///< empty text if unnamed
  std::span<const PathStep> path;  ///< redact: input|output, then steps
  Span path_span;
  Expr* when = nullptr;
  Expr* because = nullptr;
  Expr* from = nullptr;
  Expr* expires = nullptr;  ///< a duration literal (30m) arrives as a literal of kind duration
  Expr* with = nullptr;
};

struct Target {
  std::string_view text;  ///< "send_money", "payments.*", "*", or the contents of a quoted name
  bool quoted = false;
  Span span;
};

struct PolicyDecl {
  Name name;
  std::string_view version,
      description;  ///< `version "1.2";`, `description "...";`, each at most once, before the rules
  Span stage_span;
  Stage stage = Stage::before;
  std::span<const Target> targets;
  std::span<const RuleDecl> rules;
};

struct Binding {
  Name path;
  Expr* value = nullptr;
};
struct FieldInit {
  Name name;
  Expr* value = nullptr;
};

/// call NAME { fields } [returns { fields } | returns expr] [with path = expr, ...];
struct CallStep {
  Span span;
  Name capability;
  std::span<const FieldInit> input;
  bool has_returns = false;
  Expr* returns = nullptr;
  std::span<const Binding> with;
};

/// expect deny [by payments.unknown_payee]; the effect words, redact, warn, default
struct ExpectStep {
  Span span;
  std::string_view effect;
  Name by;  ///< empty text if not given
};

struct TestStep {
  bool is_call = true;
  CallStep call;
  ExpectStep expect;
};
struct TestDecl {
  Name name;
  std::span<const TestStep> steps;
};

/// One file.
struct File {
  uint32_t file = 0;  ///< index into Diagnostics::sources
  Name package;       ///< empty text if none
  std::vector<ImportDecl> imports;
  std::vector<OptionDecl> options;
  std::vector<ContextDecl> contexts;
  std::vector<CapabilityDecl> capabilities;
  std::vector<LetDecl> lets;
  std::vector<PolicyDecl> policies;
  std::vector<TestDecl> tests;
};

}  // namespace ordain::syntax
