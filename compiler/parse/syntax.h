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
#include "ordain/history.h"
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

/// `max 64` in the brackets of a type.
struct TypeBound {
  Name name;
  Value value;  ///< absent after an error
};

/// A type as written: `string(max 64)`, `list(int)`, `optional(string)`, `secret string`, a record, a value of an
/// enumeration, or several of these, joined by `|`.
struct TypeSyntax {
  bool secret = false;    ///< `secret` stands before the type
  std::string_view name;  ///< empty for a record, a value, and options
  Span span;
  std::span<TypeSyntax* const> params;
  std::span<const TypeBound> bounds;
  RecordSyntax* record = nullptr;
  bool is_value = false;
  Value value;                           ///< if `is_value`; absent after an error
  std::span<TypeSyntax* const> options;  ///< two or more, or none
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
  Name value;               ///< as it is written
  Expr* literal = nullptr;  ///< a value that is a number or a duration
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
  std::span<const Name> effects, scopes, tags, labels;
  RecordSyntax* input = nullptr;
  RecordSyntax* output = nullptr;
};

/// data "payees.csv" column "iban" of string
struct DataFile {
  Span span;
  Name path;
  Name column;  ///< empty text if absent
  TypeSyntax* type = nullptr;
};

struct LetDecl {
  Name name;
  Expr* value = nullptr;           ///< of a data file: the list of its values, once it is read
  const DataFile* data = nullptr;  ///< nullptr: the value is an expression
  std::string_view data_digest;    ///< of the file's bytes, in hexadecimal
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

/// A `history`, `rate` or `budget`.
struct StateDecl {
  StateKind kind = StateKind::history;
  Span span;  ///< the whole declaration
  Name name;
  Name verb;                        ///< history
  std::span<const Target> targets;  ///< budget: of `take`
  std::span<const Name> keys;       ///< dotted paths
  Span keys_span;
  Expr* amount = nullptr;  ///< history: `sum`; budget: `take`
  bool is_signed = false;
  Expr* when = nullptr;
  Expr* settle = nullptr;
  Expr* window = nullptr;  ///< history: `within`; rate: its period
  std::optional<uint64_t> up_to;
  uint64_t limit = 0;             ///< rate
  std::optional<uint64_t> burst;  ///< rate
  Span limit_span;
  Expr* total = nullptr;  ///< budget: its amount
  Name period;            ///< budget: `each`; "at once"; empty if neither is given
  Name zone;              ///< budget: empty text if absent
};

/// A rule that raises or clears a label: label [NAME] LABEL clauses; clear [NAME] LABEL from GROUPS clauses;
struct LabelRuleDecl {
  bool is_clear = false;
  Name label;
  RuleDecl rule;  ///< its name, words and clauses; `kind` has no meaning
};

struct PolicyDecl {
  Name name;
  std::string_view version,
      description;  ///< `version "1.2";`, `description "...";`, each at most once, before the rules
  Span stage_span;
  Stage stage = Stage::before;
  std::span<const Target> targets;
  std::span<const RuleDecl> rules;
  std::span<const LabelRuleDecl> label_rules;
};

struct Binding {
  Name path;
  Expr* value = nullptr;
};
struct FieldInit {
  Name name;
  Expr* value = nullptr;
};

/// call NAME { fields } [like expr] [returns { fields } | returns expr] [with path = expr, ...];
struct CallStep {
  Span span;
  Name capability;
  std::span<const FieldInit> input;
  Expr* like = nullptr;  ///< a record, from which the fields come that `input` lacks
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

/// A row of a table: a value for each column, and what is expected of the test's last call.
struct RowDecl {
  Span span;
  std::span<Expr* const> values;
  std::span<const ExpectStep> expects;
};

/// rows NAME, NAME { expr, expr expect EFFECT; ... }
struct RowsStep {
  Span span;  ///< of the head
  std::span<const Name> columns;
  std::span<const RowDecl> rows;
};

/// wait DURATION;
struct WaitStep {
  Span span;
  Expr* duration = nullptr;
};

/// fails;   approve [from GROUP] [as NAME];   reject;
struct AnswerStep {
  Span span;
  enum What : uint8_t { fails, approve, reject } what = fails;
  Name group, approver;  ///< empty text if absent
};

struct TestStep {
  enum class Kind : uint8_t { call, expect, let, rows, wait, answer };
  Kind kind = Kind::call;
  CallStep call;
  ExpectStep expect;
  LetDecl let;
  RowsStep rows;
  WaitStep wait;
  AnswerStep answer;
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
  std::vector<StateDecl> states;
  std::vector<Name> labels;
  std::vector<PolicyDecl> policies;
  std::vector<TestDecl> tests;
};

}  // namespace ordain::syntax
