// The syntax tree is the text as the author wrote it, with nothing resolved. `parse` builds it;
// `check` reads it.
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
  Span at;    ///< where a message points: the operator, the called or selected name, the first token
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

/// A type as written: `string`, `list(int)`, `optional(string)`, `secret string`, or a record.
struct TypeSyntax {
  bool secret = false;    ///< `secret` stands before the type
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
  Name value;  ///< a word, or a number as it is written
};
struct ContextEntry {
  Name name;
  RecordSyntax* record = nullptr;
};
struct ContextDecl {
  Span span;
  std::span<const ContextEntry> entries;
};

/// A capability's declaration. Each property occurs at most once. Texts are decoded.
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
  std::string_view field;  ///< empty for [*], every element
  Span span;
};

/// A rule: deny, require_approval, allow, redact or warn, with its clauses.
struct RuleDecl {
  RuleKind kind = RuleKind::deny;
  Span span;                       ///< whole rule
  Span word;                       ///< the effect word
  Name name;                       ///< empty text without a name
  std::span<const PathStep> path;  ///< redact: input|output, then steps
  Span path_span;
  Expr* when = nullptr;
  Expr* because = nullptr;
  Expr* from = nullptr;
  uint32_t need = 0;        ///< how many of the groups in `from` must approve; 0: all of them
  Span need_span;           ///< `any of`, `2 of`
  bool distinct = true;     ///< `distinct = false`: one approver may answer for several groups
  Expr* expires = nullptr;  ///< a duration literal such as 30m, as a literal of kind duration
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
  Name by;  ///< empty text if absent
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

/// The contents of one file.
struct File {
  uint32_t file = 0;  ///< index into Diagnostics::sources
  Name package;       ///< empty text if absent
  std::vector<ImportDecl> imports;
  std::vector<OptionDecl> options;
  std::vector<ContextDecl> contexts;
  std::vector<CapabilityDecl> capabilities;
  std::vector<LetDecl> lets;
  std::vector<PolicyDecl> policies;
  std::vector<TestDecl> tests;
};

}  // namespace ordain::syntax
