// checker.h holds the state of one check of a policy set, which the passes of check() share. No
// code outside the checker uses it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "compiler/check/expression/scope.h"
#include "compiler/check/expression/typed.h"
#include "compiler/check/policy/check.h"
#include "compiler/check/schema/state.h"
#include "compiler/diagnostic/words.h"
#include "compiler/parse/syntax.h"

namespace ordain::policy {

using LetId = uint32_t;
using PackageId = uint32_t;

/// How large inlined `let`s may make one expression.
inline constexpr uint64_t kMaxExpandedNodes = 200'000;

/// A path that an expression reads, as far as it consists of names: root "input", path ["address",
/// "street"].
struct Access {
  std::string_view root;
  std::vector<std::string_view> path;
  bool whole = false;  ///< the root as a value, by a function that takes any: its declared type makes no difference
};

/// The names that an expression refers to, by its syntax alone. May list more than the expression
/// really reads, never less.
struct Reads {
  std::vector<Access> accesses;
  std::vector<LetId> lets;      ///< direct references, one per occurrence
  std::vector<StateId> states;  ///< direct references, one per occurrence
  bool reads_state = false;     ///< of a state, or of texts and labels of the session
  uint64_t nodes = 0;
};

/// Capabilities of one group have the same meaning for an expression with certain accesses.
struct MeaningGroup {
  uint32_t id = 0;
  bool lacking = false;  ///< a path is absent
};

/// The paths of input and output that some rules read, and how capabilities differ in them.
struct AccessSet {
  std::vector<Access> accesses;
  std::unordered_map<CapabilityId, MeaningGroup> groups;
  std::unordered_map<std::string, uint32_t> ids;
};

struct Let {
  PackageId package = 0;
  std::string name;  ///< qualified
  std::string_view bare;
  const syntax::LetDecl* decl = nullptr;
  Reads reads;
  uint64_t expanded_nodes = 0;
  uint32_t order = 0;        ///< orders a let after the lets in its value
  bool broken = false;       ///< part of a cycle, or too large: its uses report nothing
  bool reads_roots = false;  ///< directly or through other lets
  bool reads_call = false;   ///< reads input or output, so its meaning depends on the capability
  bool used = false;
  bool referenced = false;  ///< a rule or test needs it, directly or through other lets
};

/// An import, with the files that it brings: indexes into State::files.
struct ResolvedImport {
  uint32_t file = 0;
  const syntax::ImportDecl* decl = nullptr;
  std::vector<uint32_t> brings;
};

/// What a package's files say of one option.
struct OptionSetting {
  std::string value;  ///< empty: nothing
  Span span = kBuiltinSpan;
};

struct Package {
  std::string name;
  std::vector<uint32_t> files;  ///< indexes into State::files
  std::set<PackageId> imports;
  Span name_span;
  OptionSetting order;
  OptionSetting budget;                                        ///< in decimal digits
  std::map<std::string, LetId, std::less<>> own_lets;          ///< by bare name
  std::unordered_map<std::string, LetId> visible_lets;         ///< by every name that reaches them
  std::unordered_set<std::string> first_words;                 ///< of those names
  std::map<std::string, StateId, std::less<>> visible_states;  ///< by qualified name; own ones by bare name, too
  StateScope state_scope;                                      ///< of its expressions
  int64_t history_limit = 30 * 86400;                          ///< value of `option history`, in seconds
  std::string declarations;  ///< canonical text of capabilities and contexts, for the package's digest
};

/// A history, rate or budget while it is checked.
struct DeclaredState {
  PackageId package = 0;
  const syntax::StateDecl* decl = nullptr;
  std::string canonical;  ///< all that its meaning depends on, as text
};

/// A let, checked for one use.
struct CheckedLet {
  const typed::Node* node = nullptr;
  std::vector<MissingField> missing;  ///< fields that the use's capability does not have
};

/// The capabilities that a policy's targets name.
struct Targets {
  struct Match {
    CapabilityId capability = 0;
    bool exact = false;
  };
  std::vector<Match> matches;  ///< by capability
  GlobSet globs;
  bool any_glob = false;
  bool unmatched_only = false;  ///< only globs that match no declared capability
  std::string canonical;
};

/// Whether a path where a redact rule could apply exists, and if not, why.
struct PathFit {
  bool fits = true;
  MissingField missing;
  const RecordType* open = nullptr;  ///< the open record that does not declare the path's field
};

struct State : SchemaState {
  const FunctionTable& functions;

  State(Arena& arena, Diagnostics& diagnostics, const std::vector<syntax::File>& files, const FunctionTable& functions)
      : SchemaState{arena, diagnostics, files}, functions(functions) {}

  std::vector<Package> packages = {};
  std::vector<PackageId> file_packages = {};
  std::vector<ResolvedImport> imports = {};
  std::map<uint32_t, std::set<LetId>> file_lets = {};  ///< by file: the lets that its rules name
  std::unordered_map<std::string, uint32_t> glob_ids = {};
  std::vector<std::vector<CapabilityId>> glob_matches = {};  ///< by glob
  std::unordered_map<std::string, std::unique_ptr<Targets>> targets = {};
  std::vector<Let> lets = {};
  std::vector<DeclaredState> states = {};  ///< by StateId
  std::unordered_map<uint64_t, std::unique_ptr<Scope>> scopes = {};
  std::map<std::pair<uint64_t, bool>, std::map<LetId, CheckedLet>> checked_lets = {};  ///< by scope and exactness
  std::unordered_map<std::string, Span> policy_names = {};
  std::unordered_map<std::string, RuleId> rule_names = {};
  std::unordered_set<std::string> label_rule_names = {};
  std::unordered_set<std::string> reported = {};
  std::unordered_map<std::string, AccessSet> access_sets = {};
  std::unordered_map<const Targets*, std::string> target_properties = {};  ///< for digests

  CapabilityId undeclared() const { return static_cast<CapabilityId>(set.schema.capabilities.size()); }
  std::string_view text(Span span) const;  ///< the policy text at `span`
};

// --- packages.cc: packages, options, imports
void collect_packages(State& state);
void check_options(State& state);
void resolve_imports(State& state);

// --- targets.cc
void declare_targets(State& state);
const Targets& targets_of(State& state, std::span<const syntax::Target> targets);

// --- reads.cc
void collect_reads(const State& state, const syntax::Expr& expression, PackageId package, Reads& out);
/// @returns the lets that `reads` refers to, directly or not, each after those that it refers to
std::vector<LetId> let_closure(const State& state, const Reads& reads);
/// Describes the accessed path as text: its type, and whether it is optional or missing.
std::string access_key(State& state, const Access& access, const Type* root, bool* missing);
AccessSet& access_set(State& state, std::vector<Access> accesses);
/// Rules with these accesses have the same meaning for all capabilities of one group.
MeaningGroup group_of(State& state, AccessSet& set, CapabilityId capability);

// --- lets.cc
void declare_lets(State& state);
void check_lets(State& state);
/// Adds `lets` (a closure) to the scope; fields that they lack are appended to `*missing`.
void enter_lets(State& state, Scope& scope, PackageId package, Stage stage, CapabilityId capability, bool exact,
                const std::vector<LetId>& lets, std::vector<MissingField>* missing);
/// Checks the lets that no rule uses.
void check_unused_lets(State& state);

// --- scope.cc
/// @returns the scope of a package's expressions for a capability (or State::undeclared())
Scope& scope_of(State& state, PackageId package, Stage stage, CapabilityId capability);
uint64_t scope_key(const State& state, PackageId package, Stage stage, CapabilityId capability);
/// Runs check_in_scope, but reports each mistake only once however many capabilities it occurs for.
/// If `about` is given, it is added as a note that names the capability.
typed::Expression check_once(State& state, const Scope& scope, const syntax::Expr& expression, const Type* expected,
                             std::vector<MissingField>* missing, const Diagnostic* about);
/// Removes diagnostics after `from` that repeat earlier ones.
void forget_repeated(State& state, size_t from, const Diagnostic* about);

// --- states.cc: what is remembered between calls
void declare_states(State& state);
/// Checks the declarations, and fixes the types of their amounts. Lets must be known before.
void check_states(State& state);
/// Determines what each capability's rules read, and reports what nothing reads. After check_policies.
void check_state_reads(State& state);
/// Appends the definitions of the states that `reads` and the lets of its closure refer to.
void append_states(const State& state, const Reads& reads, std::string& text);

// --- state_keys.cc
/// Checks the keys of a state for the calls of a capability.
/// @returns nothing after an error
std::optional<std::vector<typed::StateKey>> check_keys(State& state, StateId id, Stage stage, CapabilityId capability);
/// Checks what a declaration says of keys, whatever the capability.
void declare_keys(State& state, StateId id);

// --- labels.cc
void declare_labels(State& state);
/// Checks the label and clear rules of a policy.
void check_label_rules(State& state, const syntax::PolicyDecl& policy, PackageId package);

// --- rules.cc
void check_policies(State& state);

// --- redact.cc
/// @returns whether `path` (root, then steps) exists for the capability. Other errors are reported.
PathFit fit_redact_path(State& state, const syntax::RuleDecl& rule, Stage stage, CapabilityId capability);
std::string redact_path_text(const syntax::RuleDecl& rule);

// --- cautions.cc
/// Warns of approvals whose groups or time limit the agent chooses.
void warn_agent_chosen(State& state, const syntax::RuleDecl& rule, PackageId package);
/// Warns of a `because` with `${...}`, which is not replaced.
void warn_placeholder(State& state, const syntax::RuleDecl& rule);

// --- secret_reads.cc
/// Refuses clauses whose values are shown or recorded and that read a secret field of a target.
void refuse_secret_reads(State& state, const syntax::RuleDecl& rule, PackageId package, const Targets& targets);

// --- digest.cc
/// The things that a rule's meaning depends on besides its own text.
struct RuleContext {
  const Targets* targets = nullptr;
  Stage stage = Stage::before;
  PackageId package = 0;
  std::vector<CapabilityId>
      distinct;  ///< capabilities that it applies to, one for each that it means something else for
};
Digest rule_digest(State& state, const syntax::RuleDecl& rule, const Reads& reads, const RuleContext& context);
void digest_packages(State& state);

// --- tests.cc
void check_tests(State& state);

// --- usage.cc
/// Notes in State::set which lets and imports nothing uses.
void find_unused(State& state);

// --- shared helpers
std::vector<std::string> field_names(const RecordType& record);
bool is_input_or_output(std::string_view root);

}  // namespace ordain::policy
