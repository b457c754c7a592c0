// ProgramData holds the tables and the code of a Program as plain data: `emit` fills it, the
// verifier checks it, and engines read it.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "ordain/arena.h"
#include "ordain/history.h"
#include "ordain/program.h"
#include "vm/value/private_api.h"

namespace ordain::vm {

enum class Op : uint16_t {
#define X(name, operands, flags, doc) name,
#include "vm/program/opcodes.def"
#undef X
};

/// An instruction of 12 bytes. opcodes.def says what a, b and c mean.
struct Insn {
  Op op;
  uint16_t a = 0;
  uint32_t b = 0;
  uint32_t c = 0;
};
static_assert(sizeof(Insn) == 12);

/// What a register holds is a Kind, or one of these.
inline constexpr uint8_t kAnyKind = 0x40;      ///< a present value of any kind
inline constexpr uint8_t kBuilderKind = 0x41;  ///< a list or map under construction

struct Range {
  uint32_t first = 0;
  uint32_t count = 0;
};

/// A fault at an instruction in [begin, end) (relative to the predicate) continues at `target`. The
/// innermost handler comes first.
struct Handler {
  uint32_t begin, end, target;
};

/// Where in the policy text the instruction at `pc` (relative to the predicate) comes from, if it
/// may fault. Sorted by pc.
struct InsnLocation {
  uint32_t pc, location;
};

/// One compiled expression: a rule's condition, its `because`, ...
struct Predicate {
  Range code;       ///< of ProgramData::code
  Range registers;  ///< of ProgramData::register_kinds
  Range handlers;   ///< of ProgramData::handlers
  Range locations;  ///< of ProgramData::insn_locations
  uint32_t saved_faults = 0;
  uint8_t result = kAnyKind;
};

struct Import {
  std::string name;      ///< function
  std::string overload;  ///< an id, or "" to choose by the kinds of the arguments
  uint32_t args = 0;
};

/// An import whose constant argument is prepared at link time.
struct Prepared {
  uint32_t import = 0;
  uint32_t constant = 0;
};

/// A let that several rules use. Its value is computed at most once in a decision.
struct SharedLet {
  std::string name;
  uint8_t kind = kAnyKind;  ///< of its value
};
inline constexpr uint32_t kMaxSharedLets = 1024;  ///< more are computed where they are used

/// A rule as it applies to one capability, or to several for which it is the same. kNone: not
/// given.
struct RuleCode {
  RuleId rule = 0;
  uint32_t condition = kNone;     ///< predicate of kind bool; kNone: always true
  uint32_t because = kNone;       ///< predicate of kind string
  uint32_t because_text = kNone;  ///< constant, where `because` is one
  uint32_t from = kNone;          ///< predicate: string or list of strings
  uint32_t expires = kNone;       ///< predicate: duration
  uint32_t with = kNone;          ///< predicate: any
  uint32_t target_set = kNone;    ///< index into target_sets; only among the rules for undeclared capabilities
  uint32_t need = 0;              ///< how many of the groups in `from` must approve; 0: all
  bool distinct = true;           ///< each group needs an approver of its own
};

/// One operand of the `&&` that form a rule's condition, for explanations.
struct ConditionPart {
  uint32_t code = 0;            ///< index into ProgramData::rule_codes
  uint32_t predicate = 0;       ///< of kind bool
  uint32_t location = 0;        ///< index into ProgramData::locations
  uint32_t begin = 0, end = 0;  ///< bytes of the location's file
};

/// The test of a node of the decision DAG. A rule that a node leads away from has a conjunct (or in every disjunct
/// one) that is false, without a fault, for the call.
enum class IndexTest : uint8_t {
  leaf = 0,       ///< nothing: `edges` are entries of index_leaves
  symbol = 1,     ///< a string slot; edge keys are symbols
  number = 2,     ///< a slot of bool, int, uint or double, by order_key; edge keys are values
  member = 3,     ///< a list slot; edge keys are places in Slot::member_symbols; several may be followed
  threshold = 4,  ///< a numeric or temporal slot; edge 0: order_key < `bound`, edge 1: order_key >= `bound`
  present = 5,    ///< any slot; edge 0: absent, edge 1: present
  text = 6,       ///< a string slot; edge keys are indexes into index_literals; literals that occur are followed
  network = 7,    ///< a string slot with an address; edge keys are constants, ranges of addresses; those around it are
                  ///< followed, or all if it is not an address
  interval =
      8,  ///< as threshold; an edge leads the order_keys from its key up to the next edge's; below the first: none
};
inline constexpr uint32_t kIndexTests = 9;

/// A node leads to later nodes only. `next` is visited whatever the test gives.
struct IndexNode {
  IndexTest test = IndexTest::leaf;
  bool absent = false;  ///< follow all edges if the slot is absent, because a rule below may fault
  SlotId slot = kNone;
  uint32_t next = kNone;
  Range edges;         ///< of index_edges, by ascending key
  uint64_t bound = 0;  ///< threshold: see there; text: the most bytes for which skipping is safe
};

struct IndexEdge {
  uint64_t key = 0;
  uint32_t node = 0;
};

/// A rule at the end of a path.
struct IndexLeaf {
  uint32_t entry = 0;  ///< index into ProgramData::rule_list
  bool sure = false;   ///< the path proves the condition true
};

/// A string that occurs in every text for which some rule's text test is true.
struct IndexLiteral {
  enum Where : uint8_t { anywhere = 0, at_start = 1, at_end = 2 };
  uint32_t constant = 0;  ///< the string, not empty
  Where where = anywhere;
  bool ignore_case = false;  ///< of ASCII letters
};

/// Why no test of an index leads to a rule, for people.
enum class IndexNote : uint8_t { indexed = 0, few_rules = 1, no_test = 2, too_wide = 3 };

/// Rules that answer the same question: entries of `rule_list` in source order, and the DAG that
/// finds the rules that can match. Without nodes, every rule is tried.
struct RuleRange {
  Range entries;
  Range nodes;  ///< of index_nodes; the first is the root
};

/// The rules of one package for one capability and stage.
struct PackageRules {
  uint32_t package = 0;
  uint32_t first_match = 0;  ///< 1: `option order = first_match`; the first match in `answers` is the answer
  RuleRange deny, require_approval, allow;
  RuleRange answers;      ///< all three kinds in source order; only if first_match
  RuleRange obligations;  ///< redact and warn

  std::array<RuleRange, 5> lists() const;  ///< in the order of kRuleLists
};

/// One of the lists of rules that a package has for a capability and stage.
struct RuleListInfo {
  const char* name;
  RuleRange PackageRules::* member;
  uint32_t kinds;                                              ///< bit 1 << RuleKind for each kind of rule in it
  enum Order : uint8_t { any, strongest, first_match } order;  ///< the order of packages that use it

  constexpr bool holds(RuleKind kind) const { return (kinds >> static_cast<uint32_t>(kind) & 1) != 0; }
  constexpr bool is_used(bool by_first_match) const { return order == any || (order == first_match) == by_first_match; }
};

constexpr uint32_t kinds_of_rules(std::initializer_list<RuleKind> kinds) {
  uint32_t out = 0;
  for (const RuleKind kind : kinds) out |= 1u << static_cast<uint32_t>(kind);
  return out;
}

/// The lists, in the order in which programs store them.
inline constexpr std::array<RuleListInfo, 5> kRuleLists = {{
    {"deny", &PackageRules::deny, kinds_of_rules({RuleKind::deny}), RuleListInfo::strongest},
    {"require_approval", &PackageRules::require_approval, kinds_of_rules({RuleKind::require_approval}),
     RuleListInfo::strongest},
    {"allow", &PackageRules::allow, kinds_of_rules({RuleKind::allow}), RuleListInfo::strongest},
    {"answers", &PackageRules::answers, kinds_of_rules({RuleKind::deny, RuleKind::require_approval, RuleKind::allow}),
     RuleListInfo::first_match},
    {"obligations", &PackageRules::obligations, kinds_of_rules({RuleKind::redact, RuleKind::warn}), RuleListInfo::any},
}};

inline std::array<RuleRange, 5> PackageRules::lists() const {
  return std::apply([this](const auto&... list) { return std::array{this->*list.member...}; }, kRuleLists);
}

/// The rules that decide one capability's calls.
struct CapabilityRules {
  Range packages[2];  ///< of ProgramData::package_rules, by stage
};

struct PackageInfo {
  std::string name;
  Digest digest{};      ///< of the package's text, in a canonical form
  uint32_t budget = 0;  ///< `option budget`: the steps that each clause of its rules may spend; 0: the host says
};

struct ProgramData {
  Arena memory{4096};              ///< owns types, and the strings, lists and maps of constants
  std::vector<std::string> files;  ///< paths as given
  std::vector<Location> locations;
  Schema schema;
  std::vector<std::string_view> symbols;           ///< string of symbol i + 1, in `memory`; there may be a million
  std::vector<std::vector<SymbolId>> symbol_sets;  ///< sorted
  std::vector<Value> constants;
  std::vector<Import> imports;
  std::vector<Prepared> prepared;

  std::vector<Insn> code;
  std::vector<uint8_t> register_kinds;
  std::vector<Handler> handlers;
  std::vector<InsnLocation> insn_locations;
  std::vector<Predicate> predicates;
  std::vector<SharedLet> shared_lets;

  std::vector<PackageInfo> packages;
  std::vector<RuleInfo> rules;
  std::vector<PolicyVersion> policy_versions;  ///< of the policies that declare one, sorted by policy
  std::vector<RuleCode> rule_codes;
  std::vector<GlobSet> target_sets;
  std::vector<uint32_t> rule_list;     ///< indexes into rule_codes
  std::vector<IndexNote> index_notes;  ///< by entry of rule_list
  std::vector<IndexNode> index_nodes;
  std::vector<IndexEdge> index_edges;
  std::vector<IndexLeaf> index_leaves;
  std::vector<IndexLiteral> index_literals;
  std::vector<PackageRules> package_rules;
  std::vector<CapabilityRules> capability_rules;  ///< by capability, then one for undeclared ones

  HistoryTables history;  ///< empty without state

  /// By code, then in source order. Empty unless the compiler was asked for them. They are not
  /// serialised.
  std::vector<ConditionPart> condition_parts;
};

/// The rules of each package for a capability's calls at one stage. The only way to look them up: a program without
/// rules may have no lists at all. @param id kNone for a capability that is not declared
inline std::span<const PackageRules> package_rules(const ProgramData& data, CapabilityId id, Stage stage) {
  if (data.capability_rules.empty()) return {};
  const CapabilityRules& rules = id == kNone ? data.capability_rules.back() : data.capability_rules[id];
  const Range range = rules.packages[static_cast<size_t>(stage)];
  return std::span(data.package_rules).subspan(range.first, range.count);
}

/// Whether a rule applies to a capability whose name matches these globs. Only rules for undeclared
/// capabilities have a target set.
inline bool applies_to(const ProgramData& data, const RuleCode& rule, const GlobSet& globs) {
  return rule.target_set == kNone || (data.target_sets[rule.target_set] & globs).any();
}

/// A description of an instruction, for the verifier, the disassembler and the documentation.
struct OpInfo {
  const char* name;
  const char* operands;
  const char* flags;
  const char* doc;
};
ORDAIN_PRIVATE_API const OpInfo& op_info(Op op);
inline constexpr uint16_t kOpCount = 0
#define X(name, operands, flags, doc) +1
#include "vm/program/opcodes.def"
#undef X
    ;

}  // namespace ordain::vm

// The project's own files write the engine's names without their namespace. No installed header has this.
namespace ordain {
using namespace vm;
}
